/* HTTP/2: which requests a server has not taken, so that they may be sent again: the streams after the last one that
 * its GOAWAY names, and those that it resets with REFUSED_STREAM (RFC 9113 section 8.7).
 *
 * Curl says so by silence: such a transfer ends without a text in the error buffer, and with what it sent still counted
 * (8.22 forgets that of a connection that died). Before 8.1 (cf_h2_recv) that tells too little, as a transfer looks at
 * the connection before it looks at what is known of its stream: at the end of the connection it is silent, whatever
 * its stream was reset with, and may have been carried out; on a reset it speaks, though it was refused. There silence
 * counts while the connection stands, and else what curl logs of streams, for which it takes a seventh of a call. */
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "http/http.h"

static int has_mute_end(void) { return curl_version_info(CURLVERSION_NOW)->version_num < 0x080100; }

int beam__http2_wants_http1(const beam_http *http) { return strstr(http->curl_text, "HTTP_1_1_REQUIRED") != NULL; }

int beam__http2_is_refused(const beam_http *http) {
  return http->http2.refused || beam__http2_wants_http1(http) ||
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
void beam__http2_hear(beam_http *http, const char *text, size_t len) {
  const SSL *tls;
  unsigned number;
  char line[100];
  if (!len || !strchr("Ur", *text) || !(tls = beam__http_tls(http)) || !number_of(tls))
    return;
  snprintf(line, sizeof line, "%.*s", (int)len, text);
  if (number_after(line, "Using Stream ID: ", ": ", &number))
    http->http2.id = number;
  else if (number_after(line, "recveived GOAWAY", "last_stream=", &number) ||
           number_after(line, "received GOAWAY", "last_stream=", &number))
    refuse_after(http->ctx->curl, number_of(tls), number);
}

void beam__http2_leave(beam_http *http) {
  beam__list_remove(&http->http2.node);
  memset(&http->http2, 0, sizeof http->http2);
}

int beam__http2_join(beam_http *http, SSL *tls) {
  beam__http2_leave(http);
  if (!tls)
    return 0;
  if (watch_end(http->ctx->curl, tls) || (has_mute_end() && beam__http_listen(http)))
    return beam__http_fail(http, BEAM_ENO_MEMORY, "out of memory for the exchange with %s", http->peer);
  http->http2.connection = number_of(tls);
  beam__list_add(&http->ctx->curl->streams, &http->http2.node);
  return 0;
}
