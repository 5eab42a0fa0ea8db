/* From the caller's options to curl's easy handle. The defaults are those of Beam's own REST example (docs/wire.md). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "http/http.h"
#include "net/auth.h"
#include "net/http1/header.h"
#include "net/tls/files.h"

enum {
  CONNECT_TIMEOUT_MS = 10000,
  MAX_BODY_WHOLE = 64 * 1024 * 1024,
  MAX_UPLOAD_HTTP2 = 16 * 1024, /* what curl sends in one piece */
  EXPECT_FROM = 1000,           /* from 1 KiB or 1 MiB on, by version, curl would wait for a 100 Continue */
  STREAM_BUFFER = 64 * 1024,    /* what is read at a time: fewer calls of the system for a large body */
  DEFAULT_HEADERS = 6           /* that add_defaults adds at most */
};

/* ---- Checks ---- */

static int check_method(const char *method, int has_body, beam_error *error) {
  if (!beam__is_token(method, strlen(method)) || strlen(method) > 32)
    return beam__invalid(error, "the HTTP method is not a token of up to 32 characters");
  if (beam__ascii_same(method, "CONNECT"))
    return beam__invalid(error, "the HTTP method CONNECT is for proxies only");
  if (has_body && (!strcmp(method, "HEAD") || !strcmp(method, "TRACE")))
    return beam__invalid(error, "a %s request cannot have a body", method);
  return 0;
}

/* The framing of the request is ours: a length that does not fit would let one request hide inside another. */
static int check_framing(const beam_http_options *options, beam_error *error) {
  static const char *const ours[] = {"Content-Length", "Transfer-Encoding"};
  size_t i;
  for (i = 0; i < sizeof ours / sizeof *ours; i++)
    if (beam__header_find(options->headers, options->header_count, ours[i]))
      return beam__invalid(error, "the header %s is set from the body: leave it out", ours[i]);
  return 0;
}

static int check_headers(const beam_http *http, const beam_http_options *options, beam_error *error) {
  int failed = beam__headers_check(options->headers, options->header_count, error);
  failed = failed ? failed : check_framing(options, error);
  return failed ? failed : beam__auth_check(&options->auth, &http->url, error);
}

static int check(beam_http *http, const beam_http_options *options, const char *method, beam_error *error) {
  int failed;
  if (!options->url || !options->on_event)
    return beam__invalid(error, "an exchange needs a url and on_event");
  if (options->body && options->upload)
    return beam__invalid(error, "a body is given or uploaded, not both");
  if (options->body_size > INT64_MAX)
    return beam__invalid(error, "the body_size is beyond what HTTP can carry");
  if ((failed = check_method(method, options->body || options->upload, error)) ||
      (failed = beam__url_parse_again(&http->ctx->curl->url, &http->url, options->url, error)) ||
      (failed = check_headers(http, options, error)) || (failed = beam__tls_check(http->ctx, &options->tls, error)) ||
      (failed = beam__proxy_choose(&http->proxy, options->proxy, &http->url, error)))
    return failed;
  return beam__auth_check_proxy(&options->auth, &http->url, http->proxy.host, error);
}

/* Of one to the same place: with a trust in hand its file has been read, and is as it was. */
static int check_again(beam_http *http, const beam_http_options *options, beam_error *error) {
  int failed = check_headers(http, options, error);
  return failed || http->trust ? failed : beam__tls_check(http->ctx, &options->tls, error);
}

/* ---- Headers ---- */

/* A default gives way to a header of the caller's. */
static void add_default(beam_http *http, const beam_http_options *options, const char *name, const char *value) {
  if (!beam__header_find(options->headers, options->header_count, name))
    beam__lines_add(&http->lines, name, value);
}

static void suppress(beam_http *http, const beam_http_options *options, const char *name) {
  if (!beam__header_find(options->headers, options->header_count, name))
    beam__lines_suppress(&http->lines, name);
}

/* Also what curl has options for: for those it puts the line together anew for each request, which costs it more. It
 * looks through the whole list for each header that it knows of, so the list is kept short: of Accept it sends by
 * itself that everything is. */
static void add_defaults(beam_http *http, const beam_http_options *options, const char *authorization) {
  add_default(http, options, "User-Agent", "beam-lua/" BEAM_VERSION);
  add_default(http, options, "Accept-Encoding", "gzip, deflate");
  add_default(http, options, "Connection", "keep-alive");
  if (authorization)
    add_default(http, options, "Authorization", authorization);
  if (options->body || options->upload)
    add_default(http, options, "Content-Type", "application/json");
  else
    suppress(http, options, "Content-Type");
  if (options->body_len > EXPECT_FROM || options->upload)
    suppress(http, options, "Expect");
}

static int add_headers(beam_http *http, const beam_http_options *options, const char *authorization) {
  static const char defaults[] = "User-Agentbeam-lua/" BEAM_VERSION "Accept-Encodinggzip, deflateConnectionkeep-alive"
                                 "AuthorizationContent-Typeapplication/jsonExpect";
  size_t i, text = sizeof defaults + (authorization ? strlen(authorization) : 0);
  for (i = 0; i < options->header_count; i++)
    text += strlen(options->headers[i].name) + strlen(options->headers[i].value);
  if (beam__lines_begin(&http->lines, options->header_count + DEFAULT_HEADERS, text))
    return BEAM_ENO_MEMORY;
  for (i = 0; i < options->header_count; i++)
    beam__lines_add(&http->lines, options->headers[i].name, options->headers[i].value);
  add_defaults(http, options, authorization);
  return 0;
}

static int set_headers(beam_http *http, const beam_http_options *options) {
  int failed = 0;
  char *authorization = beam__auth_header(&options->auth, &failed);
  failed = failed || add_headers(http, options, authorization);
  beam__wipe_free(authorization);
  http->own_accept_encoding = beam__header_find(options->headers, options->header_count, "Accept-Encoding") != NULL;
  return failed || curl_easy_setopt(http->transfer.easy, CURLOPT_HTTPHEADER, http->lines.list);
}

/* ---- Address, method and body ---- */

/* The URL in parts: in one piece curl (7.88) takes it apart anew for each request, an eighth of its own work. */
static int set_parts(beam_http *http, const char *text) {
  CURL *easy = http->transfer.easy;
  CURLUcode code;
  if (!(http->parts = curl_url()))
    return BEAM_ENO_MEMORY;
  code = curl_url_set(http->parts, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME | CURLU_PATH_AS_IS);
  if (code == CURLUE_OUT_OF_MEMORY)
    return BEAM_ENO_MEMORY;
  return curl_easy_setopt(easy, code ? CURLOPT_URL : CURLOPT_CURLU, code ? (const void *)text : http->parts);
}

/* Whether curl leaves it as it is. */
static int is_plain(const char *target) {
  for (; *target; target++)
    if (!beam__ascii_is_letter(*target) && !beam__ascii_is_digit(*target) && !strchr("/-_.?=&", *target))
      return 0;
  return 1;
}

/* What is escaped in it newer versions (8.22) would rewrite. A proxy that forwards plain http is told the whole URL
 * (RFC 9112 section 3.2.2). */
static int set_target(beam_http *http, const char *text) {
  const char *target = http->proxy.host && !http->url.tls ? text : http->url.target;
  return target == http->url.target && is_plain(target)
             ? 0
             : curl_easy_setopt(http->transfer.easy, CURLOPT_REQUEST_TARGET, target);
}

static int set_url(beam_http *http, const beam_auth *auth) {
  const char *scheme = http->url.tls ? "https" : "http";
  char host[sizeof http->url.authority];
  size_t size;
  char *text;
  int failed;
  if (auth->scheme == BEAM_AUTH_QUERY && beam__auth_query(auth, &http->url))
    return BEAM_ENO_MEMORY;
  beam__url_host_header(&http->url, host, sizeof host);
  size = strlen(host) + strlen(http->url.target) + sizeof "https://";
  text = malloc(size);
  if (!text)
    return BEAM_ENO_MEMORY;
  snprintf(text, size, "%s://%s%s", scheme, host, http->url.target);
  failed = set_parts(http, text) || set_target(http, text);
  beam__wipe_free(text);
  return failed ? BEAM_ENO_MEMORY : 0;
}

static int is_one_of(const char *method, const char *const *list) {
  for (; *list; list++)
    if (!strcmp(method, *list))
      return 1;
  return 0;
}

const char *beam__http_method(const beam_http_options *options) {
  return options->method ? options->method : options->body || options->upload ? "POST" : "GET";
}

int beam__http_posts(const beam_http_options *options) {
  static const char *const with_body[] = {"POST", "PUT", "PATCH", NULL}; /* these say "Content-Length: 0" without one */
  return options->body || is_one_of(beam__http_method(options), with_body);
}

static int copy_body(beam_http *http, const beam_http_options *options) {
  if (options->body_len + 1 > http->body_size) {
    free(http->body);
    http->body_size = 0;
    if (!(http->body = malloc(options->body_len + 1)))
      return BEAM_ENO_MEMORY;
    http->body_size = options->body_len + 1;
  }
  if (options->body)
    memcpy(http->body, options->body, options->body_len);
  return 0;
}

static int set_body(beam_http *http, const beam_http_options *options) {
  CURL *easy = http->transfer.easy;
  if (options->upload || !beam__http_posts(options))
    return 0;
  return copy_body(http, options) ||
         curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(options->body ? options->body_len : 0)) ||
         curl_easy_setopt(easy, CURLOPT_POSTFIELDS, http->body);
}

static int set_method(beam_http *http, const beam_http_options *options) {
  CURL *easy = http->transfer.easy;
  const char *method = beam__http_method(options);
  if (!strcmp(method, "HEAD"))
    return curl_easy_setopt(easy, CURLOPT_NOBODY, 1L) != CURLE_OK;
  if (options->upload
          ? beam__http_set_upload(http, options->body_size)
          : curl_easy_setopt(easy, beam__http_posts(options) ? CURLOPT_POST : CURLOPT_HTTPGET, 1L) != CURLE_OK)
    return BEAM_ENO_MEMORY;
  return !strcmp(method, options->upload || beam__http_posts(options) ? "POST" : "GET")
             ? 0
             : curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

/* ---- Proxy and TLS ---- */

static int set_proxy_credentials(beam_http *http) {
  char *value;
  int failed;
  if (!http->proxy.credentials)
    return 0;
  if (!(value = beam__auth_basic(http->proxy.credentials)))
    return BEAM_ENO_MEMORY;
  failed = beam__lines_begin(&http->proxy_lines, 1, strlen("Proxy-Authorization") + strlen(value));
  if (!failed)
    beam__lines_add(&http->proxy_lines, "Proxy-Authorization", value);
  beam__wipe_free(value);
  return failed || curl_easy_setopt(http->transfer.easy, CURLOPT_PROXYHEADER, http->proxy_lines.list);
}

/* The proxy is always said, if only as "none": curl would read the environment by rules of its own. */
static int set_proxy(beam_http *http) {
  CURL *easy = http->transfer.easy;
  char text[300] = "";
  beam__proxy_peer(&http->proxy, &http->url, http->peer, sizeof http->peer);
  if (http->proxy.host)
    snprintf(text, sizeof text, "http://%s", http->peer);
  return curl_easy_setopt(easy, CURLOPT_PROXY, text) || curl_easy_setopt(easy, CURLOPT_NOPROXY, "") ||
         curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE) ||
         curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) || set_proxy_credentials(http);
}

static const char *given(const char *text) { return beam__is_given(text) ? text : NULL; }

static void warn(const beam_http *http, const beam_tls *tls) {
  if (http->url.tls && tls->insecure)
    beam__log(http->ctx, BEAM_LOG_WARNING, "http: %s is used without checking its certificate (insecure)",
              http->url.authority);
}

static int set_tls(beam_http *http, const beam_tls *tls) {
  CURL *easy = http->transfer.easy;
  if (!http->url.tls)
    return 0;
  return curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) ||
         curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, tls->insecure ? 0L : 1L) ||
         curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, tls->insecure ? 0L : 2L) ||
         beam__http_choose_trust(http, tls) || curl_easy_setopt(easy, CURLOPT_SSLCERT, given(tls->cert_file)) ||
         curl_easy_setopt(easy, CURLOPT_SSLKEY, given(tls->key_file)) ||
         curl_easy_setopt(easy, CURLOPT_KEYPASSWD, given(tls->key_passphrase));
}

/* ---- The rest ---- */

/* A stream keeps to HTTP/1.1 and so to a connection of its own: in HTTP/2 one paused reader stops every other transfer
 * of the connection and makes curl spin on its socket (7.88, lib/http2.c "pause_stream_id"). So does a body of several
 * pieces: a server's answer in the middle of it would be lost (connect.c, beam__http_restart). */
int beam__http_wants_http1(int tls, const beam_http_options *options) {
  return !tls || options->stream || options->upload || options->body_len > MAX_UPLOAD_HTTP2;
}

static void set_version(beam_http *http, const beam_http_options *options) {
  CURL *easy = http->transfer.easy;
  if (beam__http_wants_http1(http->url.tls, options)) {
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    return;
  }
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS); /* refused by a curl without HTTP/2 */
  curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
}

/* Removing a transfer must not wait for its look-up; localhost and *.localhost curl resolves to loopback by itself
 * (7.78 and later). */
static int set_resolver(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075700
  return curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#else
  (void)easy;
  return 0;
#endif
}

static int set_basics(beam_http *http) {
  CURL *easy = http->transfer.easy;
  return curl_easy_setopt(easy, CURLOPT_PRIVATE, &http->transfer) ||
         curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L) ||
         /* inflate.h says why */ curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) ||
         curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->curl_text) ||
         (http->stream && curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)STREAM_BUFFER)) ||
         curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L) || curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) ||
         curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)http->connect_timeout_ms) || set_resolver(easy);
}

unsigned beam__http_connect_timeout(const beam_http_options *options) {
  return options->connect_timeout_ms ? options->connect_timeout_ms : CONNECT_TIMEOUT_MS;
}

static void take_over(beam_http *http, const beam_http_options *options) {
  http->on_event = options->on_event;
  http->user = options->user;
  http->started_at = uv_hrtime();
  http->timeout_ms = options->timeout_ms;
  http->connect_timeout_ms = beam__http_connect_timeout(options);
  http->stream = options->stream != 0;
  http->wants_head = !strcmp(beam__http_method(options), "HEAD");
  http->max_body = options->max_body || http->stream ? options->max_body : MAX_BODY_WHOLE;
}

int beam__http_prepare(beam_http *http, const beam_http_options *options, beam_error *error) {
  int failed = check(http, options, beam__http_method(options), error);
  if (failed)
    return failed;
  take_over(http, options);
  warn(http, &options->tls);
  http->transfer.easy = beam__curl_easy(http->ctx->curl);
  if (!http->transfer.easy || set_basics(http) || set_url(http, &options->auth) || set_method(http, options) ||
      set_body(http, options) || set_headers(http, options) || set_proxy(http) || set_tls(http, &options->tls) ||
      beam__http_watch_connect(http, http->url.tls && !options->tls.insecure) || beam__http_watch_response(http) ||
      beam__http_trace(http) || beam__http_note(http, options))
    return beam__no_memory(error);
  set_version(http, options);
  return 0;
}

/* ---- The same again ---- */

int beam__http_prepare_again(beam_http *http, const beam_http_options *options, beam_error *error) {
  int failed = check_again(http, options, error);
  if (failed)
    return failed;
  take_over(http, options);
  warn(http, &options->tls);
  return set_body(http, options) || set_headers(http, options) ? beam__no_memory(error) : 0;
}

void beam__http_unprepare(beam_http *http) {
  if (http->transfer.easy)
    beam__curl_easy_end(http->ctx->curl, http->transfer.easy, http->ended && !http->error.code);
  curl_url_cleanup(http->parts);
  beam__http_release_trust(http);
  beam__lines_free(&http->lines);
  beam__lines_free(&http->proxy_lines);
  free(http->note.url);
  free(http->body);
  free(http->held);
  beam__bytes_free(&http->upload.queue);
  beam__url_free(&http->url);
  beam__proxy_free(&http->proxy);
  beam__response_free(&http->response);
  beam__decoder_free(&http->decoder);
}
