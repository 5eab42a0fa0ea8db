/* From the caller's options to curl's easy handle. The defaults are those of Beam's own REST example (docs/wire.md). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "http/http.h"
#include "net/auth.h"
#include "net/http1/header.h"
#include "net/tls/verify.h"

enum {
  MAX_BODY_WHOLE = 64 * 1024 * 1024,
  MAX_UPLOAD_HTTP2 = 16 * 1024, /* what curl sends in one piece */
  EXPECT_FROM = 1000            /* from 1 KiB or 1 MiB on, by version, curl would wait for a 100 Continue */
};

static int no_memory(beam_error *error) {
  return beam__error(error, BEAM_ENO_MEMORY, BEAM_PHASE_NONE, NULL, "out of memory");
}

/* ---- Checks ---- */

static int check_method(const char *method, int has_body, beam_error *error) {
  if (!beam__is_token(method, strlen(method)) || strlen(method) > 32)
    return beam__error(error, BEAM_EINVALID, BEAM_PHASE_NONE, NULL,
                       "the HTTP method is not a token of up to 32 characters");
  if (beam__ascii_same(method, "CONNECT"))
    return beam__error(error, BEAM_EINVALID, BEAM_PHASE_NONE, NULL, "the HTTP method CONNECT is for proxies only");
  if (has_body && (!strcmp(method, "HEAD") || !strcmp(method, "TRACE")))
    return beam__error(error, BEAM_EINVALID, BEAM_PHASE_NONE, NULL, "a %s request cannot have a body", method);
  return 0;
}

/* The framing of the request is ours: a length that does not fit would let one request hide inside another. */
static int check_framing(const beam_http_options *options, beam_error *error) {
  static const char *const ours[] = {"Content-Length", "Transfer-Encoding"};
  size_t i;
  for (i = 0; i < sizeof ours / sizeof *ours; i++)
    if (beam__header_find(options->headers, options->header_count, ours[i]))
      return beam__error(error, BEAM_EINVALID, BEAM_PHASE_NONE, NULL,
                         "the header %s is set from the body: leave it out", ours[i]);
  return 0;
}

static int check(beam_http *http, const beam_http_options *options, const char *method, beam_error *error) {
  int failed;
  if (!options->url || !options->on_event)
    return beam__error(error, BEAM_EINVALID, BEAM_PHASE_NONE, NULL, "an exchange needs a url and on_event");
  if (options->body && options->upload)
    return beam__error(error, BEAM_EINVALID, BEAM_PHASE_NONE, NULL, "a body is given or uploaded, not both");
  if (options->body_size > INT64_MAX)
    return beam__error(error, BEAM_EINVALID, BEAM_PHASE_NONE, NULL, "the body_size is beyond what HTTP can carry");
  if ((failed = check_method(method, options->body || options->upload, error)) ||
      (failed = beam__url_parse_again(&http->ctx->curl->url, &http->url, options->url, error)) ||
      (failed = beam__headers_check(options->headers, options->header_count, error)) ||
      (failed = check_framing(options, error)) || (failed = beam__auth_check(&options->auth, &http->url, error)) ||
      (failed = beam__tls_check(http->ctx, &options->tls, error)) ||
      (failed = beam__proxy_choose(&http->proxy, options->proxy, &http->url, error)))
    return failed;
  return beam__auth_check_proxy(&options->auth, &http->url, http->proxy.host, error);
}

/* ---- Headers ---- */

/* Adds "name: value", or curl's spelling of an empty value. The list's copies are wiped by free_list. */
static int add_header(struct curl_slist **list, const char *name, const char *value) {
  int empty = !value[strspn(value, " \t")];
  char *line = empty ? beam__join(name, ";", "") : beam__join(name, ": ", value);
  struct curl_slist *grown = line ? curl_slist_append(*list, line) : NULL;
  beam__wipe_free(line);
  if (!grown)
    return BEAM_ENO_MEMORY;
  *list = grown;
  return 0;
}

/* What curl would add by itself: "Name:" takes it away. */
static int suppress_header(struct curl_slist **list, const char *name_colon) {
  struct curl_slist *grown = curl_slist_append(*list, name_colon);
  if (!grown)
    return BEAM_ENO_MEMORY;
  *list = grown;
  return 0;
}

static int add_default(beam_http *http, const beam_http_options *options, const char *name, const char *value) {
  if (beam__header_find(options->headers, options->header_count, name))
    return 0;
  return add_header(&http->headers, name, value);
}

static int add_authorization(beam_http *http, const beam_http_options *options) {
  int failed = 0;
  char *value = beam__auth_header(&options->auth, &failed);
  if (value)
    failed = add_default(http, options, "Authorization", value);
  beam__wipe_free(value);
  return failed ? BEAM_ENO_MEMORY : 0;
}

static int add_defaults(beam_http *http, const beam_http_options *options) {
  if (add_default(http, options, "Connection", "keep-alive") || add_authorization(http, options))
    return BEAM_ENO_MEMORY;
  if (options->body || options->upload)
    return add_default(http, options, "Content-Type", "application/json");
  if (beam__header_find(options->headers, options->header_count, "Content-Type"))
    return 0;
  return suppress_header(&http->headers, "Content-Type:");
}

/* The defaults that curl has options for, and an Accept of everything, which it sends anyway: it looks through the
 * whole list for each header that it knows of, so the list is kept short. The list's headers replace these. */
static int set_common_headers(CURL *easy) {
  return curl_easy_setopt(easy, CURLOPT_USERAGENT, "beam-lua/" BEAM_VERSION) ||
         curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate") ||
         curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L); /* inflate.h says why */
}

static int set_headers(beam_http *http, const beam_http_options *options) {
  size_t i;
  for (i = 0; i < options->header_count; i++)
    if (add_header(&http->headers, options->headers[i].name, options->headers[i].value))
      return BEAM_ENO_MEMORY;
  if (add_defaults(http, options))
    return BEAM_ENO_MEMORY;
  if ((options->body_len > EXPECT_FROM || options->upload) &&
      !beam__header_find(options->headers, options->header_count, "Expect") &&
      suppress_header(&http->headers, "Expect:"))
    return BEAM_ENO_MEMORY;
  return curl_easy_setopt(http->transfer.easy, CURLOPT_HTTPHEADER, http->headers) ||
         set_common_headers(http->transfer.easy);
}

/* ---- Address, method and body ---- */

/* The target is said once more, as it is: in that of the URL newer versions (8.22) rewrite what is escaped. A proxy
 * that forwards plain http is told the whole URL (RFC 9112 section 3.2.2). */
static int set_url(beam_http *http, const beam_auth *auth) {
  CURL *easy = http->transfer.easy;
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
  failed = curl_easy_setopt(easy, CURLOPT_URL, text) ||
           curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, http->proxy.host && !http->url.tls ? text : http->url.target);
  beam__wipe_free(text);
  return failed ? BEAM_ENO_MEMORY : 0;
}

static int is_one_of(const char *method, const char *const *list) {
  for (; *list; list++)
    if (!strcmp(method, *list))
      return 1;
  return 0;
}

static int set_body(beam_http *http, const beam_http_options *options, const char *method) {
  static const char *const with_body[] = {"POST", "PUT", "PATCH", NULL}; /* these say "Content-Length: 0" without one */
  CURL *easy = http->transfer.easy;
  if (!options->body && !is_one_of(method, with_body))
    return curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) != CURLE_OK;
  http->body = malloc(options->body_len + 1);
  if (!http->body)
    return BEAM_ENO_MEMORY;
  if (options->body)
    memcpy(http->body, options->body, options->body_len);
  return curl_easy_setopt(easy, CURLOPT_POST, 1L) ||
         curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(options->body ? options->body_len : 0)) ||
         curl_easy_setopt(easy, CURLOPT_POSTFIELDS, http->body);
}

static int set_method(beam_http *http, const beam_http_options *options, const char *method) {
  CURL *easy = http->transfer.easy;
  if (!strcmp(method, "HEAD"))
    return curl_easy_setopt(easy, CURLOPT_NOBODY, 1L) != CURLE_OK;
  if (options->upload ? beam__http_set_upload(http, options->body_size) : set_body(http, options, method))
    return BEAM_ENO_MEMORY;
  return curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

/* ---- Proxy and TLS ---- */

static int set_proxy_credentials(beam_http *http) {
  size_t len = http->proxy.credentials ? strlen(http->proxy.credentials) : 0, size = 4 * ((len + 2) / 3) + 1;
  char *value;
  int failed;
  if (!len)
    return 0;
  value = malloc(size + sizeof "Basic ");
  if (!value)
    return BEAM_ENO_MEMORY;
  memcpy(value, "Basic ", 6);
  beam__base64(value + 6, http->proxy.credentials, len);
  failed = add_header(&http->proxy_headers, "Proxy-Authorization", value);
  beam__wipe_free(value);
  return failed || curl_easy_setopt(http->transfer.easy, CURLOPT_PROXYHEADER, http->proxy_headers);
}

/* The proxy is always said, if only as "none": curl would read the environment by rules of its own. */
static int set_proxy(beam_http *http) {
  CURL *easy = http->transfer.easy;
  const char *host = http->proxy.host;
  char text[300] = "";
  int colon = host && strchr(host, ':');
  snprintf(http->peer, sizeof http->peer, "%s", http->url.authority);
  if (host) {
    snprintf(http->peer, sizeof http->peer, "%s%s%s:%u", colon ? "[" : "", host, colon ? "]" : "", http->proxy.port);
    snprintf(text, sizeof text, "http://%s", http->peer);
  }
  return curl_easy_setopt(easy, CURLOPT_PROXY, text) || curl_easy_setopt(easy, CURLOPT_NOPROXY, "") ||
         curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE) ||
         curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) || set_proxy_credentials(http);
}

static const char *given(const char *text) { return text && *text ? text : NULL; }

static int set_tls(beam_http *http, const beam_tls *tls) {
  CURL *easy = http->transfer.easy;
  if (!http->url.tls)
    return 0;
  if (tls->insecure)
    beam__log(http->ctx, BEAM_LOG_WARNING, "http: %s is used without checking its certificate (insecure)",
              http->url.authority);
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
static void set_version(beam_http *http, size_t body_len) {
  CURL *easy = http->transfer.easy;
  if (!http->url.tls || http->stream || http->upload.wanted || body_len > MAX_UPLOAD_HTTP2) {
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
  return curl_easy_setopt(easy, CURLOPT_PRIVATE, &http->transfer) || curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) ||
         curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->curl_text) ||
         curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L) || curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) ||
         curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)http->connect_timeout_ms) || set_resolver(easy);
}

int beam__http_prepare(beam_http *http, const beam_http_options *options, beam_error *error) {
  const char *method = options->method ? options->method : options->body || options->upload ? "POST" : "GET";
  int failed = check(http, options, method, error);
  if (failed)
    return failed;
  http->stream = options->stream != 0;
  http->max_body = options->max_body || http->stream ? options->max_body : MAX_BODY_WHOLE;
  http->own_accept_encoding = beam__header_find(options->headers, options->header_count, "Accept-Encoding") != NULL;
  http->transfer.easy = beam__curl_easy(http->ctx->curl);
  if (!http->transfer.easy || set_basics(http) || set_url(http, &options->auth) || set_method(http, options, method) ||
      set_headers(http, options) || set_proxy(http) || set_tls(http, &options->tls) ||
      beam__http_watch_connect(http, http->url.tls && !options->tls.insecure) || beam__http_watch_response(http) ||
      beam__http_trace(http))
    return no_memory(error);
  set_version(http, options->body_len);
  return 0;
}

static void free_list(struct curl_slist *list) {
  struct curl_slist *item;
  for (item = list; item; item = item->next)
    beam__wipe(item->data, strlen(item->data));
  curl_slist_free_all(list);
}

void beam__http_unprepare(beam_http *http) {
  if (http->transfer.easy)
    beam__curl_easy_end(http->ctx->curl, http->transfer.easy, http->ended && !http->error.code);
  beam__http_release_trust(http);
  free_list(http->headers);
  free_list(http->proxy_headers);
  free(http->body);
  free(http->held);
  beam__bytes_free(&http->upload.queue);
  beam__url_free(&http->url);
  beam__proxy_free(&http->proxy);
  beam__response_free(&http->response);
  beam__decoder_free(&http->decoder);
}
