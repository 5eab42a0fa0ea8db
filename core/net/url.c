/* libcurl's URL API reads host and port; the rules on top are ours. It takes more than a client should send:
 * "http:/host", "http:///host", port 0, "|" in a host name (7.88); it knows no host names beyond ASCII unless the
 * process set a locale (7.88), or refuses them with words of its own (8.22). All of that is refused here before it is
 * asked, so that both transports see the same host. And path and query stay as they are: it would write what is escaped
 * in capitals (8.22). */
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

static int refuse(beam_error *error, const char *why) { return beam__invalid(error, "invalid URL: %s", why); }

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

static const char no_host_name[] = "its host name holds a character that no host name has";

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
  case CURLUE_BAD_HOSTNAME:
    return no_host_name;
  case CURLUE_BAD_IPV6:
    return "the address in its brackets is no IPv6 address";
  default:
    return curl_url_strerror(code);
  }
}

/* A part as a copy from malloc, so that it can be wiped and freed as ours; NULL if it is not there, which is no error,
 * or if memory ran out. */
static int copy_part(CURLU *parts, CURLUPart part, char **copy) {
  char *found = NULL;
  CURLUcode code = curl_url_get(parts, part, &found, 0);
  *copy = NULL;
  if (code)
    return code == CURLUE_OUT_OF_MEMORY ? BEAM_ENO_MEMORY : 0;
  *copy = beam__strdup(found);
  beam__wipe(found, strlen(found));
  curl_free(found);
  return *copy ? 0 : BEAM_ENO_MEMORY;
}

static int host_is_numeric_v6(const char *host) { return strchr(host, ':') != NULL; }

/* Lower case, without brackets; with the zone of a link-local address ("fe80::1%eth0"). NULL: memory ran out. */
static char *copy_host(CURLU *parts) {
  char *host = NULL, *zone = NULL, *plain = NULL;
  size_t len, i;
  if (copy_part(parts, CURLUPART_HOST, &host) || copy_part(parts, CURLUPART_ZONEID, &zone)) {
    free(host);
    return NULL;
  }
  len = host ? strlen(host) : 0;
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

/* As it stands in the URL: the zone of an IPv6 address is behind "%25" (RFC 6874) or a bare percent sign. */
static int may_stand_in(const char *host, const char *at, int in_brackets) {
  if (beam__ascii_is_letter(*at) || beam__ascii_is_digit(*at) || strchr(".-_", *at))
    return 1;
  return in_brackets && (*at == ':' || at == strchr(host, '%'));
}

static int check_host(const char *host, size_t len, beam_error *error) {
  int in_brackets = len && *host == '[';
  size_t i;
  for (i = 0; i < len; i++)
    if ((unsigned char)host[i] > 0x7f)
      return refuse(error, "its host name is not ASCII; write it in its xn-- form");
  for (i = (size_t)in_brackets; i < len; i++)
    if (!may_stand_in(host, host + i, in_brackets))
      return refuse(error, no_host_name);
  return 0;
}

/* Who it names before curl is asked: between the slashes and the path. */
static int check_authority(const char *text, beam_error *error) {
  size_t len = strcspn(text, "/?#");
  if (memchr(text, '@', len))
    return refuse(error, describe(CURLUE_USER_NOT_ALLOWED));
  return check_host(text, *text == '[' ? strcspn(text, "]/?#") : strcspn(text, ":/?#"), error);
}

static int split_host(beam__url *url, CURLU *parts, beam_error *error) {
  char *port = NULL;
  CURLUcode code;
  if (!(url->host = copy_host(parts)))
    return beam__no_memory(error);
  if (strlen(url->host) > HOST_MAX)
    return refuse(error, "its host name is longer than 253 bytes");
  code = curl_url_get(parts, CURLUPART_PORT, &port, 0);
  if (code == CURLUE_OUT_OF_MEMORY) /* not another port than the one that is meant */
    return beam__no_memory(error);
  url->port = code ? url->tls ? 443 : 80 : (unsigned)strtoul(port, NULL, 10);
  curl_free(port);
  if (url->port < 1 || url->port > 65535)
    return refuse(error, describe(CURLUE_BAD_PORT_NUMBER));
  snprintf(url->authority, sizeof url->authority, host_is_numeric_v6(url->host) ? "[%s]:%u" : "%s:%u", url->host,
           url->port);
  return 0;
}

/* Dot segments are resolved (RFC 3986 section 5.2.4), in place; `path` begins with a slash. Returns its length. */
static size_t remove_dots(char *path, size_t len) {
  char *in = path, *out = path, *end = path + len;
  while (in < end) {
    char *next = memchr(in + 1, '/', (size_t)(end - in - 1));
    size_t segment = (size_t)((next ? next : end) - in);
    int dots = segment == 2 && in[1] == '.' ? 1 : segment == 3 && in[1] == '.' && in[2] == '.' ? 2 : 0;
    while (dots == 2 && out > path && *--out != '/')
      ;
    if (!dots) {
      memmove(out, in, segment);
      out += segment;
    } else if (!next) {
      *out++ = '/';
    }
    in += segment;
  }
  if (out == path)
    *out++ = '/';
  return (size_t)(out - path);
}

/* Path and query, up to the fragment, with what is not ASCII escaped. Returns the length; `to` has room for it. */
static size_t encode_target(char *to, const char *from) {
  char *start = to;
  if (*from != '/')
    *to++ = '/';
  for (; *from && *from != '#'; from++)
    if ((unsigned char)*from > 0x7f)
      to += sprintf(to, "%%%02x", (unsigned char)*from);
    else
      *to++ = *from;
  *to = '\0';
  return (size_t)(to - start);
}

static int split_target(beam__url *url, const char *text, beam_error *error) {
  const char *rest = text + strcspn(text, "/?#");
  size_t len, path, kept;
  if (!(url->target = malloc(3 * strlen(rest) + 2)))
    return beam__no_memory(error);
  len = encode_target(url->target, rest);
  path = strcspn(url->target, "?");
  kept = remove_dots(url->target, path);
  memmove(url->target + kept, url->target + path, len - path + 1);
  if (strlen(url->target) > URL_MAX) /* what is not ASCII grew threefold */
    return refuse(error, "its path and query are longer than 2,000 bytes once percent-encoded");
  return 0;
}

static int split(beam__url *url, CURLU *parts, const char *text, const struct scheme *scheme, beam_error *error) {
  CURLUcode code =
      curl_url_set(parts, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME | CURLU_DISALLOW_USER | CURLU_URLENCODE);
  int result;
  if (code)
    return code == CURLUE_OUT_OF_MEMORY ? beam__no_memory(error) : refuse(error, describe(code));
  if (!scheme->fragment && strchr(text, '#'))
    return refuse(error, "a WebSocket URL has no #fragment; write %23 for a # that belongs to it");
  url->tls = scheme->tls;
  result = split_host(url, parts, error);
  return result ? result : split_target(url, text + strlen(scheme->prefix), error);
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
  if (check_authority(text + strlen(scheme->prefix), error))
    return BEAM_EINVALID;
  if (!(parts = curl_url()))
    return beam__no_memory(error);
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
    return copy_url(url, &known->url) ? beam__no_memory(error) : 0;
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

/* The root's dot at its end does not count. */
static int is_localhost_name(const char *whole) {
  static const char name[] = "localhost";
  char host[300];
  size_t len = strlen(whole), name_len = sizeof name - 1;
  len -= len && whole[len - 1] == '.';
  snprintf(host, sizeof host, "%.*s", (int)len, whole);
  if (len < name_len || len >= sizeof host || !beam__ascii_same(host + len - name_len, name))
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
