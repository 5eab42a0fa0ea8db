/* Which proxy, by the rules of libcurl's documentation (CURLOPT_PROXY, CURLOPT_NOPROXY, libcurl-env), so that a
 * WebSocket goes the way the HTTP call beside it goes. */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "internal.h"
#include "net/proxy.h"

static const char bad_address[] = "its host or port is none";
static const char default_port[] = "1080"; /* libcurl's, for a proxy without a port */

/* ---- no_proxy ---- */

/* Reads and cuts off the "/bits" of an item; without one it is `all`. -1 if it is no such number. */
static int cut_bits(char *item, int all) {
  char *slash = strchr(item, '/'), *end;
  unsigned long bits;
  if (!slash)
    return all;
  *slash = '\0';
  bits = strtoul(slash + 1, &end, 10);
  return beam__ascii_is_digit(slash[1]) && !*end && bits <= (unsigned long)all ? (int)bits : -1;
}

/* Does the numeric address `host` lie in "address" or "address/bits"? */
static int in_network(const char *host, char *item, int family) {
  unsigned char address[16], network[16];
  int bits = cut_bits(item, family == AF_INET ? 32 : 128), i;
  if (bits < 0 || inet_pton(family, host, address) != 1 || inet_pton(family, item, network) != 1)
    return 0;
  for (i = 0; i < bits; i++)
    if ((address[i / 8] ^ network[i / 8]) & (0x80 >> i % 8))
      return 0;
  return 1;
}

static int is_numeric(const char *host, int family) {
  unsigned char address[16];
  return inet_pton(family, host, address) == 1;
}

/* The same name, or the end of it after a dot. Dots around either do not count. */
static int in_domain(const char *host, const char *item) {
  size_t host_len = strlen(host), item_len;
  item += strspn(item, ".");
  item_len = strlen(item);
  while (item_len && item[item_len - 1] == '.')
    item_len--;
  while (host_len && host[host_len - 1] == '.')
    host_len--;
  if (!item_len || item_len > host_len || !beam__ascii_same_start(host + host_len - item_len, item, item_len))
    return 0;
  return item_len == host_len || host[host_len - item_len - 1] == '.';
}

/* "[::1]:80" and "name:80" lose their brackets and port; "::1" has none. */
static char *strip_port(char *item) {
  char *colon = strchr(item, ':');
  if (*item == '[') {
    item++;
    item[strcspn(item, "]")] = '\0';
  } else if (colon && !strchr(colon + 1, ':')) {
    *colon = '\0';
  }
  return item;
}

static int item_matches(char *item, const char *host) {
  item = strip_port(item);
  if (strcmp(item, "*") == 0)
    return 1;
  if (is_numeric(host, AF_INET))
    return in_network(host, item, AF_INET);
  if (is_numeric(host, AF_INET6))
    return in_network(host, item, AF_INET6);
  return in_domain(host, item);
}

/* Is `host` named by a list of items between commas or blanks? An item too long to name a host names none. */
static int is_exempt(const char *list, const char *host) {
  static const char separators[] = ", \t";
  char item[300];
  while (*(list += strspn(list, separators))) {
    size_t len = strcspn(list, separators);
    if (len < sizeof item) {
      memcpy(item, list, len);
      item[len] = '\0';
      if (item_matches(item, host))
        return 1;
    }
    list += len;
  }
  return 0;
}

/* ---- The environment ---- */

/* An empty variable counts as one that is not set, as in libcurl. */
static const char *from_environment(const char *const *names, const char **found) {
  for (; *names; names++) {
    const char *value = getenv(*names);
    if (value && *value) {
      *found = *names;
      return value;
    }
  }
  return NULL;
}

static const char *environment_choice(const beam__url *url, const char **name) {
  /* HTTP_PROXY in capitals is what a CGI server makes of a visitor's "Proxy:" header. */
  static const char *const plain[] = {"http_proxy", "all_proxy", "ALL_PROXY", NULL};
  static const char *const tls[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL};
  static const char *const exempt[] = {"no_proxy", "NO_PROXY", NULL};
  const char *list;
  if (beam__host_is_loopback(url->host))
    return NULL;
  list = from_environment(exempt, name);
  if (list && is_exempt(list, url->host))
    return NULL;
  return from_environment(url->tls ? tls : plain, name);
}

/* ---- The proxy's URL ---- */

static int refuse(beam_error *error, const char *source, const char *why) {
  return beam__invalid(error, "invalid proxy in %s: %s", source, why);
}

static void wipe_part(char *part) {
  if (part)
    beam__wipe(part, strlen(part));
  curl_free(part);
}

static int join_credentials(beam__proxy *proxy, const char *user, const char *password, beam_error *error) {
  size_t size = strlen(user) + strlen(password) + 2;
  if (!(proxy->credentials = malloc(size)))
    return beam__no_memory(error);
  snprintf(proxy->credentials, size, "%s:%s", user, password);
  return 0;
}

static int split_credentials(beam__proxy *proxy, CURLU *parts, const char *source, beam_error *error) {
  char *user = NULL, *password = NULL;
  CURLUcode user_code = curl_url_get(parts, CURLUPART_USER, &user, CURLU_URLDECODE);
  CURLUcode password_code = curl_url_get(parts, CURLUPART_PASSWORD, &password, CURLU_URLDECODE);
  int result = 0;
  if (user_code == CURLUE_OUT_OF_MEMORY || password_code == CURLUE_OUT_OF_MEMORY)
    result = beam__no_memory(error);
  else if ((user_code && user_code != CURLUE_NO_USER) || (password_code && password_code != CURLUE_NO_PASSWORD))
    result = refuse(error, source, "its user or password has a control character in it");
  else if (user && strchr(user, ':'))
    result = refuse(error, source, "its user name has a colon in it (RFC 7617)");
  else if (user || password)
    result = join_credentials(proxy, user ? user : "", password ? password : "", error);
  wipe_part(user);
  wipe_part(password);
  return result;
}

/* Host and port by the rules of every other URL of ours: put together again without the credentials. */
static int split_address(beam__proxy *proxy, CURLU *parts, const char *source, beam_error *error) {
  beam__url url;
  char *port = NULL, *text = NULL;
  CURLUcode code = curl_url_get(parts, CURLUPART_PORT, &port, 0);
  int result;
  if (code == CURLUE_NO_PORT)
    code = curl_url_set(parts, CURLUPART_PORT, default_port, 0);
  curl_free(port);
  if (code) /* not another port than the one that is meant */
    return beam__no_memory(error);
  if (curl_url_set(parts, CURLUPART_USER, NULL, 0) || curl_url_set(parts, CURLUPART_PASSWORD, NULL, 0) ||
      curl_url_get(parts, CURLUPART_URL, &text, 0))
    return beam__no_memory(error);
  result = beam__url_parse(&url, text, error);
  curl_free(text);
  if (result == BEAM_ENO_MEMORY)
    return result;
  if (result)
    return refuse(error, source, bad_address);
  proxy->host = url.host;
  proxy->port = url.port;
  url.host = NULL;
  beam__url_free(&url);
  return 0;
}

/* Newer versions of curl (8.22) refuse a bad host or port here, older ones leave some of that to us; for the older ones
 * a space makes a bad host, for the newer ones no URL. */
static int refuse_url(CURLUcode code, const char *text, const char *source, beam_error *error) {
  if (code == CURLUE_OUT_OF_MEMORY)
    return beam__no_memory(error);
  if (!strchr(text, ' ') && (code == CURLUE_BAD_HOSTNAME || code == CURLUE_BAD_PORT_NUMBER))
    return refuse(error, source, bad_address);
  return refuse(error, source, "it is not of the form http://[user:password@]host:port");
}

static int split(beam__proxy *proxy, CURLU *parts, const char *text, const char *source, beam_error *error) {
  char *scheme = NULL;
  CURLUcode code = curl_url_set(parts, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
  int supported, result;
  if (code)
    return refuse_url(code, text, source, error);
  if (curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0))
    return beam__no_memory(error);
  supported = beam__ascii_same(scheme, "http");
  curl_free(scheme);
  if (!supported)
    return refuse(error, source, "only http:// proxies are supported; set proxy = \"\" to connect without one");
  result = split_credentials(proxy, parts, source, error);
  return result ? result : split_address(proxy, parts, source, error);
}

static int parse(beam__proxy *proxy, const char *text, const char *source, beam_error *error) {
  static const char scheme[] = "http://";
  char *whole = NULL;
  CURLU *parts = curl_url();
  int result;
  if (parts && (whole = malloc(sizeof scheme + strlen(text)))) {
    snprintf(whole, sizeof scheme + strlen(text), "%s%s", strstr(text, "://") ? "" : scheme, text);
    result = split(proxy, parts, whole, source, error);
  } else {
    result = beam__no_memory(error);
  }
  beam__wipe_free(whole);
  curl_url_cleanup(parts);
  if (result)
    beam__proxy_free(proxy);
  return result;
}

int beam__proxy_choose(beam__proxy *proxy, const char *choice, const beam__url *url, beam_error *error) {
  const char *source = "the option `proxy`";
  memset(proxy, 0, sizeof *proxy);
  if (!choice)
    choice = environment_choice(url, &source);
  if (!choice || !*choice)
    return 0;
  return parse(proxy, choice, source, error);
}

void beam__proxy_free(beam__proxy *proxy) {
  free(proxy->host);
  beam__wipe_free(proxy->credentials);
  memset(proxy, 0, sizeof *proxy);
}

void beam__proxy_peer(const beam__proxy *proxy, const beam__url *url, char *to, size_t size) {
  if (proxy->host)
    snprintf(to, size, strchr(proxy->host, ':') ? "[%s]:%u" : "%s:%u", proxy->host, proxy->port);
  else
    snprintf(to, size, "%s", url->authority);
}
