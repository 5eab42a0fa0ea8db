/* libcurl's URL API splits; the rules on top are ours. It takes more than a client should send:
 * "http:/host", "http:///host", port 0, "|" in a host name; and it knows no host names beyond ASCII unless the process
 * set a locale (7.88). All of that is refused here, so that both transports see the same host. */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "internal.h"
#include "net/url.h"

enum { URL_MAX = 2000, HOST_MAX = 253 }; /* bytes; RFC 1035 section 2.3.4, without the root's dot */

/* ---- Splitting ---- */

static int refuse(beam_error *error, const char *why) {
  return beam__error(error, BEAM_EINVALID, BEAM_PHASE_NONE, NULL, "invalid URL: %s", why);
}

static const struct scheme {
  const char *prefix;
  int tls, fragment; /* RFC 6455 section 3: ws and wss URLs have no fragment */
} schemes[] = {{"ws://", 0, 0}, {"wss://", 1, 0}, {"http://", 0, 1}, {"https://", 1, 1}};

static const struct scheme *find_scheme(const char *text) {
  size_t i;
  for (i = 0; i < sizeof schemes / sizeof *schemes; i++)
    if (beam__ascii_same_start(text, schemes[i].prefix, strlen(schemes[i].prefix)))
      return &schemes[i];
  return NULL;
}

/* What libcurl would mend or let pass. */
static int check_text(const char *text, beam_error *error) {
  const unsigned char *at = (const unsigned char *)text;
  if (!text || !*text)
    return refuse(error, "it is empty");
  if (strlen(text) > URL_MAX)
    return refuse(error, "it is longer than 2,000 bytes");
  for (; *at; at++) {
    if (*at == ' ')
      return refuse(error, "it has a space in it; write %20");
    if (*at < ' ' || *at == 0x7f)
      return refuse(error, "it has a line break or another control character in it");
    if (*at == '\\')
      return refuse(error, "it has a backslash in it; write / or %5C");
  }
  return 0;
}

static const char *describe(CURLUcode code) {
  switch (code) {
  case CURLUE_USER_NOT_ALLOWED:
    return "it has a user or a password in it; give them as credentials (token, or basic) instead";
  case CURLUE_BAD_PORT_NUMBER:
    return "its port is not a number from 1 to 65535";
  case CURLUE_NO_HOST:
    return "it has no host";
  default:
    return curl_url_strerror(code);
  }
}

/* A part as a copy from malloc, so that it can be wiped and freed as ours; NULL if it is not there or memory ran out.
 */
static char *copy_part(CURLU *parts, CURLUPart part) {
  char *found = NULL, *copy;
  if (curl_url_get(parts, part, &found, 0))
    return NULL;
  copy = beam__strdup(found);
  beam__wipe(found, strlen(found));
  curl_free(found);
  return copy;
}

static int host_is_numeric_v6(const char *host) { return strchr(host, ':') != NULL; }

/* Lower case, without brackets; with the zone of a link-local address ("fe80::1%eth0"). */
static char *copy_host(CURLU *parts) {
  char *host = copy_part(parts, CURLUPART_HOST), *zone = copy_part(parts, CURLUPART_ZONEID), *plain = NULL;
  size_t len = host ? strlen(host) : 0, i;
  for (i = 0; i < len; i++)
    host[i] = beam__ascii_lower(host[i]);
  if (len > 2 && host[0] == '[') {
    size_t size = len + (zone ? strlen(zone) : 0);
    if ((plain = malloc(size)))
      snprintf(plain, size, "%.*s%s%s", (int)(len - 2), host + 1, zone ? "%" : "", zone ? zone : "");
    free(host);
    host = plain;
  }
  free(zone);
  return host;
}

static int may_stand_in(const char *host, const char *at) {
  if (beam__ascii_is_letter(*at) || beam__ascii_is_digit(*at) || strchr(".-_", *at))
    return 1;
  return host_is_numeric_v6(host) && (*at == ':' || at == strchr(host, '%'));
}

static int check_host(const char *host, beam_error *error) {
  const char *at;
  if (strlen(host) > HOST_MAX)
    return refuse(error, "its host name is longer than 253 bytes");
  for (at = host; *at; at++) {
    if ((unsigned char)*at > 0x7f)
      return refuse(error, "its host name is not ASCII; write it in its xn-- form");
    if (!may_stand_in(host, at))
      return refuse(error, "its host name holds a character that no host name has");
  }
  return 0;
}

static int split_host(beam__url *url, CURLU *parts, beam_error *error) {
  char *port = NULL;
  if (!(url->host = copy_host(parts)))
    return beam__error(error, BEAM_ENO_MEMORY, BEAM_PHASE_NONE, NULL, "out of memory");
  if (check_host(url->host, error))
    return BEAM_EINVALID;
  url->port = url->tls ? 443 : 80;
  if (!curl_url_get(parts, CURLUPART_PORT, &port, 0)) {
    url->port = (unsigned)strtoul(port, NULL, 10);
    curl_free(port);
  }
  if (url->port < 1 || url->port > 65535)
    return refuse(error, describe(CURLUE_BAD_PORT_NUMBER));
  snprintf(url->authority, sizeof url->authority, host_is_numeric_v6(url->host) ? "[%s]:%u" : "%s:%u", url->host,
           url->port);
  return 0;
}

static int split_target(beam__url *url, CURLU *parts, beam_error *error) {
  char *path = copy_part(parts, CURLUPART_PATH), *query = copy_part(parts, CURLUPART_QUERY);
  size_t size = (path ? strlen(path) : 1) + (query ? strlen(query) : 0) + 2;
  if ((url->target = malloc(size)))
    snprintf(url->target, size, "%s%s%s", path ? path : "/", query ? "?" : "", query ? query : "");
  beam__wipe_free(path);
  beam__wipe_free(query);
  if (!url->target)
    return beam__error(error, BEAM_ENO_MEMORY, BEAM_PHASE_NONE, NULL, "out of memory");
  if (strlen(url->target) > URL_MAX) /* what is not ASCII grew threefold */
    return refuse(error, "its path and query are longer than 2,000 bytes once percent-encoded");
  return 0;
}

static int split(beam__url *url, CURLU *parts, const char *text, const struct scheme *scheme, beam_error *error) {
  CURLUcode code =
      curl_url_set(parts, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME | CURLU_DISALLOW_USER | CURLU_URLENCODE);
  int result;
  if (code)
    return code == CURLUE_OUT_OF_MEMORY ? beam__error(error, BEAM_ENO_MEMORY, BEAM_PHASE_NONE, NULL, "out of memory")
                                        : refuse(error, describe(code));
  if (!scheme->fragment && strchr(text, '#'))
    return refuse(error, "a WebSocket URL has no #fragment; write %23 for a # that belongs to it");
  url->tls = scheme->tls;
  result = split_host(url, parts, error);
  return result ? result : split_target(url, parts, error);
}

int beam__url_parse(beam__url *url, const char *text, beam_error *error) {
  const struct scheme *scheme;
  CURLU *parts;
  int result;
  memset(url, 0, sizeof *url);
  if (check_text(text, error))
    return BEAM_EINVALID;
  if (!(scheme = find_scheme(text)))
    return refuse(error, "it does not start with wss://, ws://, https:// or http://");
  if (text[strlen(scheme->prefix)] == '/')
    return refuse(error, describe(CURLUE_NO_HOST)); /* libcurl would take "http:///a/b" for "http://a/b" */
  if (!(parts = curl_url()))
    return beam__error(error, BEAM_ENO_MEMORY, BEAM_PHASE_NONE, NULL, "out of memory");
  result = split(url, parts, text, scheme, error);
  curl_url_cleanup(parts);
  if (result)
    beam__url_free(url);
  return result;
}

static int copy_url(beam__url *to, const beam__url *from) {
  *to = *from;
  to->host = beam__strdup(from->host);
  to->target = beam__strdup(from->target);
  if (to->host && to->target)
    return 0;
  beam__url_free(to);
  return BEAM_ENO_MEMORY;
}

int beam__url_parse_again(beam__url_known *known, beam__url *url, const char *text, beam_error *error) {
  int result;
  if (known->text && strcmp(known->text, text) == 0)
    return copy_url(url, &known->url) ? beam__error(error, BEAM_ENO_MEMORY, BEAM_PHASE_NONE, NULL, "out of memory") : 0;
  beam__url_forget(known);
  result = beam__url_parse(url, text, error);
  if (!result && !strchr(text, '?') && !copy_url(&known->url, url))
    known->text = beam__strdup(text);
  return result;
}

void beam__url_forget(beam__url_known *known) {
  free(known->text);
  known->text = NULL;
  beam__url_free(&known->url);
}

void beam__url_free(beam__url *url) {
  free(url->host);
  beam__wipe_free(url->target);
  memset(url, 0, sizeof *url);
}

void beam__url_host_header(const beam__url *url, char *to, size_t size) {
  int v6 = host_is_numeric_v6(url->host);
  int len = (int)strcspn(url->host, "%"); /* a zone means something on this machine only: RFC 6874 section 1 */
  if (url->port == (url->tls ? 443u : 80u))
    snprintf(to, size, v6 ? "[%.*s]" : "%.*s", len, url->host);
  else
    snprintf(to, size, v6 ? "[%.*s]:%u" : "%.*s:%u", len, url->host, url->port);
}

/* ---- Loopback ---- */

static int is_localhost_name(const char *host) {
  static const char name[] = "localhost";
  size_t len = strlen(host), name_len = sizeof name - 1;
  if (len < name_len || !beam__ascii_same(host + len - name_len, name))
    return 0;
  return len == name_len || (len > name_len + 1 && host[len - name_len - 1] == '.');
}

int beam__host_is_loopback(const char *host) {
  unsigned char v4[4];
  struct in6_addr v6;
  if (inet_pton(AF_INET, host, v4) == 1)
    return v4[0] == 127;
  if (inet_pton(AF_INET6, host, &v6) == 1)
    return IN6_IS_ADDR_LOOPBACK(&v6) != 0;
  return is_localhost_name(host);
}
