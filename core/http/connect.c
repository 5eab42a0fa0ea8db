/* What curl tells while it connects, and the one question it asks: may this request be sent (again)? */
#include <openssl/ssl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include "http/http.h"
#include "net/tls/refusal.h"

enum { MAX_REFUSALS = 5 }; /* as often as curl does it by itself */

/* ---- The connection ---- */

SSL *beam__http_tls(const beam_http *http) {
  struct curl_tlssessioninfo *session = NULL;
  if (curl_easy_getinfo(http->transfer.easy, CURLINFO_TLS_SSL_PTR, &session) || !session ||
      session->backend != CURLSSLBACKEND_OPENSSL)
    return NULL;
  return session->internals;
}

static int speaks_http2(const SSL *tls) {
  const unsigned char *protocol = NULL;
  unsigned len = 0;
  SSL_get0_alpn_selected(tls, &protocol, &len);
  return len == 2 && !memcmp(protocol, "h2", 2);
}

/* ---- Sending, once ---- */

/* When a pooled connection dies before the first byte of an answer, curl sends the request again on a new one, whatever
 * its method and even if all of it had been sent (7.88, Curl_retry_request): a handler could run twice. It asks us
 * before it connects and before it sends, so the second time is ours to allow. No method is safe: a GET runs a handler,
 * too (docs/wire.md section 2). What was never sent may go again, and what an HTTP/2 server refused unprocessed (RFC
 * 9113 section 8.7). */
static int may_send_again(const beam_http *http) {
  return http->http2.connection ? beam__http2_is_refused(http) : !beam__http_was_sent(http);
}

static long bytes_sent(const beam_http *http) {
  long sent = 0;
  curl_easy_getinfo(http->transfer.easy, CURLINFO_REQUEST_SIZE, &sent);
  return sent;
}

/* It was sent, and would be sent again: no more is done about it. */
static int is_lost(beam_http *http) {
  if (!http->attempts || http->cleared)
    return 0;
  if (!may_send_again(http)) {
    beam__http_fail_again(http);
    return 1;
  }
  if (beam__http2_wants_http1(http))
    http->curl_text[0] = '\0'; /* curl writes anew there */
  beam__http2_leave(http);
  http->cleared = 1;
  http->sent_before = bytes_sent(http); /* what went so far is as if it had not */
  return 0;
}

/* ---- Phases ---- */

static int on_resolve(void *resolver, void *reserved, void *user) {
  (void)resolver, (void)reserved;
  if (is_lost(user))
    return -1;
  beam__http_enter(user, BEAM_PHASE_DNS);
  return 0;
}

/* Also because curl's own sockets (7.88) are inherited by every program that the process starts. */
static curl_socket_t on_open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address) {
  int type = address->socktype;
  (void)purpose;
  if (is_lost(user))
    return CURL_SOCKET_BAD;
  beam__http_enter(user, BEAM_PHASE_TCP);
#ifdef SOCK_CLOEXEC
  type |= SOCK_CLOEXEC;
#endif
  return socket(address->family, type, address->protocol);
}

/* ---- Certificates: whose it is, for the error ---- */

/* The slot of an SSL_CTX in which its exchange stands. */
static int slot = -1;

static void make_slot(void) { slot = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL); }

static int context_slot(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, make_slot);
  return slot;
}

/* Told of each certificate, root first; the last one told is the server's own, or the one that was refused. */
static int on_certificate(int valid, X509_STORE_CTX *store) {
  const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
  const X509 *certificate = X509_STORE_CTX_get_current_cert(store);
  beam_http *http = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), context_slot());
  if (http && certificate && (!valid || X509_STORE_CTX_get_error_depth(store) == 0))
    beam__tls_names(certificate, http->subject, sizeof http->subject, http->issuer, sizeof http->issuer);
  return valid;
}

/* The connection outlives the exchange that made it, in the pool: so no renegotiation, which would ask again. */
static CURLcode on_tls(CURL *easy, void *ssl_context, void *user) {
  SSL_CTX *context = ssl_context;
  (void)easy;
  beam__http_enter(user, BEAM_PHASE_TLS);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
  if (beam__http_apply_trust(user, context))
    return CURLE_OUT_OF_MEMORY;
  if (SSL_CTX_set_ex_data(context, context_slot(), user))
    SSL_CTX_set_verify(context, SSL_CTX_get_verify_mode(context), on_certificate);
  return CURLE_OK;
}

/* ---- Before it is sent ---- */

static int on_request(void *user, char *remote_ip, char *local_ip, int remote_port, int local_port) {
  beam_http *http = user;
  SSL *tls = beam__http_tls(http);
  int http2 = http->url.tls && tls && speaks_http2(tls);
  int strange = tls && !http->url.tls; /* 8.14 takes a kept connection of https:// for http:// to the same port */
  (void)remote_ip, (void)local_ip, (void)remote_port;
  if (http->freed)
    return CURL_PREREQFUNC_ABORT;
  if (!http->renewed &&
      (strange || (!http2 && beam__curl_has_spoken(http->ctx->curl, local_port, tls && SSL_has_pending(tls))))) {
    http->stale = 1;
    return CURL_PREREQFUNC_ABORT;
  }
  if (is_lost(http) || beam__http2_join(http, http2 ? tls : NULL))
    return CURL_PREREQFUNC_ABORT;
  http->attempts++;
  http->cleared = 0;
  http->sent_before = bytes_sent(http);
  beam__http_enter(http, BEAM_PHASE_REQUEST);
  return CURL_PREREQFUNC_OK;
}

/* What a kept connection has to say before it was asked is no answer to this request: its end, a 408 for having been
 * idle; nor is one of another scheme ours. Nothing was sent; it is thrown away, and the call goes over a new one.
 * HTTP/2 numbers what it says. */
static int leave_stale(beam_http *http) {
  if (!http->stale || http->error.code)
    return 0;
  http->stale = 0;
  http->renewed = 1;
  http->curl_text[0] = '\0';
  if (curl_easy_setopt(http->transfer.easy, CURLOPT_FRESH_CONNECT, 1L))
    return 0;
  beam__log(http->ctx, BEAM_LOG_DEBUG,
            "http: a kept connection to %s had spoken or ended, or was of another scheme: over a new one", http->peer);
  return 1;
}

/* When an HTTP/2 server answers before it has the body (a 401, say), curl (7.88) may lose the answer: its next send
 * finds the stream closed and fails with this code and no text. If no byte of the body has left, nobody can have acted
 * on it, and it goes again over HTTP/1.1, where an early answer comes through. */
static int leave_http2(beam_http *http, CURLcode result) {
  CURL *easy = http->transfer.easy;
  curl_off_t uploaded = 0;
  if (result != CURLE_HTTP2_STREAM || http->curl_text[0] || !http->body || http->error.code ||
      http->sent_before_restart)
    return 0;
  curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
  if (uploaded || curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) ||
      curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 0L))
    return 0;
  beam__log(http->ctx, BEAM_LOG_DEBUG, "http: %s answered before it had the body: again over HTTP/1.1", http->peer);
  beam__response_free(&http->response);
  beam__decoder_free(&http->decoder);
  http->received = http->taken = 0;
  http->attempts = 0;
  http->sent_before_restart = 1;
  http->phase = BEAM_PHASE_NONE;
  return 1;
}

/* What was refused curl (7.88) sends again by itself only over a connection that served before, and not the last stream
 * of one that has nothing more to do. */
static int leave_refusing(beam_http *http, CURLcode result) {
  if (!result || !http->http2.refused || http->response.current || http->error.code || http->refusals == MAX_REFUSALS)
    return 0;
  http->refusals++;
  beam__http2_leave(http);
  http->curl_text[0] = '\0';
  http->attempts = 0;
  http->phase = BEAM_PHASE_NONE;
  beam__log(http->ctx, BEAM_LOG_DEBUG, "http: %s did not take the request: again", http->peer);
  return 1;
}

int beam__http_restart(beam_http *http, CURLcode result) {
  return leave_stale(http) || leave_refusing(http, result) || leave_http2(http, result);
}

int beam__http_watch_connect(beam_http *http, int verify) {
  CURL *easy = http->transfer.easy;
  if (verify && beam__curl_has_openssl() &&
      (curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls) || curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, http)))
    return BEAM_ENO_MEMORY;
  return curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, on_resolve) ||
         curl_easy_setopt(easy, CURLOPT_RESOLVER_START_DATA, http) ||
         curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket) ||
         curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, http) ||
         curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request) || curl_easy_setopt(easy, CURLOPT_PREREQDATA, http);
}
