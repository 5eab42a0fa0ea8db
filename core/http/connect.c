/* What curl tells while it connects, and the one question it asks: may this request be sent (again)? */
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "http/http.h"
#include "net/tls/refusal.h"

enum { MAX_REFUSALS = 5 }; /* as often as curl does it by itself */

/* ---- The connection ---- */

/* The TLS of the connection that was chosen, or NULL. */
static SSL *tls_of(CURL *easy) {
  struct curl_tlssessioninfo *session = NULL;
  if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &session) || !session || session->backend != CURLSSLBACKEND_OPENSSL)
    return NULL;
  return session->internals;
}

static int speaks_http2(const SSL *tls) {
  const unsigned char *protocol = NULL;
  unsigned len = 0;
  SSL_get0_alpn_selected(tls, &protocol, &len);
  return len == 2 && !memcmp(protocol, "h2", 2);
}

/* ---- HTTP/2: what the server has not taken ---- */

/* The streams after the last one that its GOAWAY names, and those that it resets with REFUSED_STREAM. Curl says so by
 * silence: such a transfer ends without a text in the error buffer, and with what it sent still counted (8.22 forgets
 * that of a connection that died). Before 8.1 (cf_h2_recv) that tells too little, as a transfer looks at the connection
 * before it looks at what is known of its stream: at the end of the connection it is silent, whatever its stream was
 * reset with, and may have been carried out; on a reset it speaks, though it was refused. There silence counts while
 * the connection stands, and else what curl logs of streams, for which it takes a seventh of a call. */
static int has_mute_end(void) { return curl_version_info(CURLVERSION_NOW)->version_num < 0x080100; }

/* Whoever answers so has not looked at the request (RFC 9113 section 7): curl would send it over HTTP/1.1. */
static int wants_http1(const beam_http *http) { return strstr(http->curl_text, "HTTP_1_1_REQUIRED") != NULL; }

static int is_refused(const beam_http *http) {
  return http->http2.refused || wants_http1(http) ||
         (!http->http2.over && !http->curl_text[0] && beam__http_was_sent(http));
}

static struct { /* of an SSL */
  int number;   /* of its connection */
  int curl;     /* a struct beam__curl */
} slots = {-1, -1};

static void make_slots(void) {
  slots.number = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
  slots.curl = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

static uint64_t number_of(const SSL *tls) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, make_slots);
  return (uint64_t)(uintptr_t)SSL_get_ex_data(tls, slots.number);
}

/* `last`: of its streams, the last one that is taken. */
static void refuse_after(struct beam__curl *curl, uint64_t connection, unsigned last) {
  beam__node *node;
  for (node = curl->streams.next; node != &curl->streams; node = node->next) {
    beam_http *http = BEAM__CONTAINER(node, beam_http, http2.node);
    if (http->http2.connection == connection && http->http2.id > last)
      http->http2.refused = 1;
  }
}

static void note_end(const SSL *tls) {
  struct beam__curl *curl = SSL_get_ex_data(tls, slots.curl);
  beam__node *node;
  for (node = curl->streams.next; node != &curl->streams; node = node->next) {
    beam_http *http = BEAM__CONTAINER(node, beam_http, http2.node);
    if (http->http2.connection == number_of(tls))
      http->http2.over = 1;
  }
}

static void on_alert(const SSL *tls, int where, int alert) {
  (void)alert;
  if (where == SSL_CB_READ_ALERT)
    note_end(tls);
}

static long on_bytes(BIO *bio, int what, const char *data, size_t len, int number, long more, int result,
                     size_t *processed) {
  (void)data, (void)len, (void)number, (void)more, (void)processed;
  if (what == (BIO_CB_READ | BIO_CB_RETURN) && result <= 0 && !BIO_should_retry(bio))
    note_end((const SSL *)(void *)BIO_get_callback_arg(bio));
  return result;
}

static int watch_end(struct beam__curl *curl, SSL *tls) {
  BIO *bio = SSL_get_rbio(tls);
  if (number_of(tls))
    return 0;
  if (!SSL_set_ex_data(tls, slots.curl, curl) ||
      !SSL_set_ex_data(tls, slots.number, (void *)(uintptr_t)++curl->connections))
    return -1;
  if (has_mute_end()) {
    SSL_set_info_callback(tls, on_alert);
    BIO_set_callback_arg(bio, (char *)tls);
    BIO_set_callback_ex(bio, on_bytes);
  }
  return 0;
}

/* The number in a line of curl's log, behind these words of it. */
static int number_after(const char *line, const char *start, const char *words, unsigned *number) {
  const char *at = strncmp(line, start, strlen(start)) == 0 ? strstr(line, words) : NULL;
  return at && sscanf(at + strlen(words), "%u", number) == 1;
}

/* Told to whichever transfer is being read for, and also to one that only looks whether a connection is alive. */
void beam__http_hear(beam_http *http, const char *text, size_t len) {
  const SSL *tls;
  unsigned number;
  char line[100];
  if (!len || !strchr("Ur", *text) || !(tls = tls_of(http->transfer.easy)) || !number_of(tls))
    return;
  snprintf(line, sizeof line, "%.*s", (int)len, text);
  if (number_after(line, "Using Stream ID: ", ": ", &number))
    http->http2.id = number;
  else if (number_after(line, "recveived GOAWAY", "last_stream=", &number) ||
           number_after(line, "received GOAWAY", "last_stream=", &number))
    refuse_after(http->ctx->curl, number_of(tls), number);
}

void beam__http_leave(beam_http *http) {
  beam__list_remove(&http->http2.node);
  memset(&http->http2, 0, sizeof http->http2);
}

/* The request becomes a stream of this connection; NULL: it speaks HTTP/1.1. */
static int join(beam_http *http, SSL *tls) {
  beam__http_leave(http);
  if (!tls)
    return 0;
  if (watch_end(http->ctx->curl, tls) || (has_mute_end() && beam__http_listen(http)))
    return beam__http_fail(http, BEAM_ENO_MEMORY, "out of memory for the exchange with %s", http->peer);
  http->http2.connection = number_of(tls);
  beam__list_add(&http->ctx->curl->streams, &http->http2.node);
  return 0;
}

/* ---- Sending, once ---- */

/* When a pooled connection dies before the first byte of an answer, curl sends the request again on a new one, whatever
 * its method and even if all of it had been sent (7.88, Curl_retry_request): a handler could run twice. It asks us
 * before it connects and before it sends, so the second time is ours to allow. No method is safe: a GET runs a handler,
 * too (docs/wire.md section 2). What was never sent may go again, and what an HTTP/2 server refused unprocessed (RFC
 * 9113 section 8.7). */
static int may_send_again(const beam_http *http) {
  return http->http2.connection ? is_refused(http) : !beam__http_was_sent(http);
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
  if (wants_http1(http))
    http->curl_text[0] = '\0'; /* curl writes anew there */
  beam__http_leave(http);
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
  SSL *tls = tls_of(http->transfer.easy);
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
  if (is_lost(http) || join(http, http2 ? tls : NULL))
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
  beam__http_leave(http);
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
