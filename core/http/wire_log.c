/* What goes over the wire of an exchange, for those who look: heads as log lines of level debug ("> " out, "< " in),
 * without secrets; and how long each part of it took. */
#include <stdio.h>
#include <string.h>

#include "base/ascii.h"
#include "http/http.h"
#include "internal.h"

/* ---- Heads ---- */

static int has_name(const char *line, size_t len, const char *name) {
  size_t size = strlen(name);
  return len > size && line[size] == ':' && beam__ascii_same_start(line, name, size);
}

/* Length of what may be shown of a line; *hidden: there is more. */
static int shown(const char *line, size_t len, int *hidden) {
  static const char *const secret[] = {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"};
  const char *query = memchr(line, '?', len);
  size_t i;
  *hidden = 1;
  for (i = 0; i < sizeof secret / sizeof *secret; i++)
    if (has_name(line, len, secret[i]))
      return (int)strlen(secret[i]) + 1;
  if (query && memchr(line, ':', (size_t)(query - line)) == NULL) /* a request's first line: a token may be in it */
    return (int)(query - line) + 1;
  *hidden = 0;
  return (int)len;
}

static void log_head(beam_http *http, const char *mark, const char *text, size_t len) {
  const char *end = text + len;
  while (text < end) {
    const char *newline = memchr(text, '\n', (size_t)(end - text));
    size_t size = newline ? (size_t)(newline - text) : (size_t)(end - text);
    int hidden, count;
    size_t bare = size && text[size - 1] == '\r' ? size - 1 : size;
    count = shown(text, bare, &hidden);
    if (bare)
      beam__log(http->ctx, BEAM_LOG_DEBUG, "%s %.*s%s", mark, count, text, hidden ? " [hidden]" : "");
    text += size + 1;
  }
}

static int is_looked_at(const beam_http *http) {
  return http->ctx->options.log && http->ctx->options.log_level >= BEAM_LOG_DEBUG;
}

static int on_debug(CURL *easy, curl_infotype type, char *data, size_t size, void *user) {
  beam_http *http = user;
  (void)easy;
  if (type == CURLINFO_TEXT)
    beam__http2_hear(http, data, size);
  else if (type == CURLINFO_HEADER_OUT && is_looked_at(http))
    log_head(http, ">", data, size);
  else if (type == CURLINFO_HEADER_IN && is_looked_at(http))
    log_head(http, "<", data, size);
  return 0;
}

int beam__http_listen(beam_http *http) {
  CURL *easy = http->transfer.easy;
  return curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_debug) || curl_easy_setopt(easy, CURLOPT_DEBUGDATA, http) ||
         curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
}

int beam__http_trace(beam_http *http) { return is_looked_at(http) ? beam__http_listen(http) : 0; }

/* ---- Times ---- */

static double since_start(CURL *easy, CURLINFO info) {
  curl_off_t microseconds = 0;
  return curl_easy_getinfo(easy, info, &microseconds) ? 0 : (double)microseconds / 1e6;
}

static double between(double from, double to) { return to > from ? to - from : 0; }

/* Curl's own figures of these begin when the body of a request goes (7.88, CURLINFO_STARTTRANSFER_TIME). */
static double seconds_between(uint64_t from, uint64_t to) { return to > from ? (double)(to - from) / 1e9 : 0; }

void beam__http_answered(beam_http *http) {
  http->phase = BEAM_PHASE_RESPONSE;
  if (!http->answered_at)
    http->answered_at = uv_hrtime();
}

/* A connection that was open costs nothing; curl (7.88) has some microseconds for looking it up. */
static void times_of_connecting(CURL *easy, beam_http_times *times) {
  double dns = since_start(easy, CURLINFO_NAMELOOKUP_TIME_T), tcp = since_start(easy, CURLINFO_CONNECT_TIME_T);
  double tls = since_start(easy, CURLINFO_APPCONNECT_TIME_T);
  times->dns = tcp > 0 ? dns : 0;
  times->tcp = between(dns, tcp);
  times->tls = between(tcp, tls);
}

void beam__http_times(const beam_http *http, beam_http_times *times) {
  uint64_t now = uv_hrtime(), left = http->asked_at ? http->asked_at : now;
  times_of_connecting(http->transfer.easy, times);
  times->queued = between(times->dns + times->tcp + times->tls, seconds_between(http->started_at, left));
  times->wait = http->asked_at && http->answered_at ? seconds_between(http->asked_at, http->answered_at) : 0;
  times->body = http->answered_at ? seconds_between(http->answered_at, now) : 0;
  times->total = seconds_between(http->started_at, now);
}
