/* The server over TLS, asked by our own clients on the same loop, and by those who speak something else. */
#include "server_harness.h"

static char folder[] = "/tmp/beam-tls-XXXXXX", cert_file[64], key_file[64], empty_file[64], other_file[64];

static void write_file(char *path, const char *name, const char *text) {
  FILE *file;
  snprintf(path, 64, "%s/%s", folder, name);
  file = fopen(path, "w");
  if (!file || fputs(text, file) < 0 || fclose(file))
    abort();
}

static void make_files(void) {
  char certificate[4096], key[4096], small[100];
  CHECK_INT(beam_server_certificate(certificate, key, sizeof certificate), 0);
  CHECK_INT(beam_server_certificate(small, key, sizeof small), BEAM_ENO_MEMORY);
  CHECK_INT(beam_server_certificate(certificate, key, sizeof certificate), 0);
  if (!mkdtemp(folder))
    abort();
  write_file(cert_file, "cert.pem", certificate);
  write_file(key_file, "key.pem", key);
  CHECK_INT(beam_server_certificate(certificate, key, sizeof certificate), 0);
  write_file(other_file, "other.pem", key);
  write_file(empty_file, "empty.pem", "");
}

static void remove_files(void) {
  unlink(cert_file);
  unlink(key_file);
  unlink(empty_file);
  unlink(other_file);
  CHECK_INT(rmdir(folder), 0);
}

static int listen_with(const char *cert, const char *key, unsigned head_timeout_ms, beam_error *error) {
  beam_server_options options = {.on_request = on_request, .on_gone = on_gone, .head_timeout_ms = head_timeout_ms};
  options.tls = (beam_tls){.cert_file = cert, .key_file = key};
  return beam_server_listen(ctx, &server, &options, error);
}

static void start_secure(unsigned head_timeout_ms) {
  beam_error error = {0};
  beam_new(&ctx, NULL);
  beam_close(ctx);
  descriptors_before = count_descriptors();
  held_count = request_count = gone_count = 0;
  if (beam_new(&ctx, NULL) || listen_with(cert_file, key_file, head_timeout_ms, &error)) {
    printf("Bail out! %s\n", error.message);
    exit(1);
  }
}

/* ---- Calls ---- */

typedef struct call {
  int done, status;
  size_t len;
  beam_error error;
} call;

static void on_http(void *user, beam_http *http, const beam_http_event *event) {
  call *c = user;
  (void)http;
  if (event->type != BEAM_HTTP_DONE)
    return;
  c->done = 1;
  c->status = event->status;
  c->len = event->len;
  if (event->error)
    c->error = *event->error;
}

static call ask(const char *scheme, const char *target, const void *body, size_t len, const char *ca_file) {
  call c = {0};
  beam_http *http;
  char url[128];
  beam_http_options options = {.url = url, .body = body, .body_len = len, .on_event = on_http, .user = &c};
  snprintf(url, sizeof url, "%s://localhost:%u%s", scheme, beam_server_port(server), target);
  options.tls.ca_file = ca_file;
  options.timeout_ms = 10000;
  CHECK_INT(beam_http_start(ctx, &http, &options, &c.error), 0);
  STEP_UNTIL(c.done);
  beam_http_free(http);
  return c;
}

static void calls(void) {
  size_t size = 2 << 20;
  char *body = malloc(size);
  int i;
  memset(body, 'b', size);
  start_secure(0);
  for (i = 0; i < 3; i++)
    CHECK_INT(ask("https", "/static", NULL, 0, cert_file).status, 200);
  CHECK_INT(ask("https", "/echo", body, size, cert_file).len, size);
  CHECK_INT(request_count, 4);
  stop_server();
  free(body);
}

static void strangers(void) {
  start_secure(0);
  CHECK_INT(ask("https", "/static", NULL, 0, NULL).error.code, BEAM_ETLS);
  CHECK(ask("http", "/static", NULL, 0, cert_file).error.code != 0);
  CHECK_INT(request_count, 0);
  CHECK_INT(ask("https", "/static", NULL, 0, cert_file).status, 200);
  stop_server();
}

/* Says nothing, or half a hello: it is let go in time, and holds up nobody. */
static void those_who_stall(void) {
  static const char hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
  int silent, half;
  start_secure(1000);
  silent = dial();
  half = dial();
  CHECK_INT(say_bytes(half, hello, sizeof hello - 1), 0);
  CHECK_INT(ask("https", "/static", NULL, 0, cert_file).status, 200);
  step_for(1500);
  CHECK_INT(recv(silent, answer, sizeof answer, 0), 0);
  CHECK_INT(recv(half, answer, sizeof answer, 0), 0);
  close(silent);
  close(half);
  stop_server();
}

/* ---- WebSockets ---- */

typedef struct talk {
  beam_ws *near, *far;
  int opened, closed, far_closed;
  size_t heard, far_heard;
  beam_error error;
} talk;

static void on_near(void *user, beam_ws *ws, const beam_ws_event *event) {
  talk *t = user;
  (void)ws;
  t->opened += event->type == BEAM_WS_OPEN;
  t->closed += event->type == BEAM_WS_CLOSED;
  if (event->type == BEAM_WS_MESSAGE)
    t->heard += event->len;
  if (event->type == BEAM_WS_CLOSED && event->error)
    t->error = *event->error;
}

static void on_far(void *user, beam_ws *ws, const beam_ws_event *event) {
  talk *t = user;
  t->far_closed += event->type == BEAM_WS_CLOSED;
  if (event->type == BEAM_WS_MESSAGE) {
    t->far_heard += event->len;
    CHECK_INT(beam_ws_send_text(ws, event->data, event->len), 0);
  }
}

static void open_talk(talk *t) {
  char url[64];
  beam_ws_options options = {.url = url, .on_event = on_near, .user = t}, theirs = {.on_event = on_far, .user = t};
  snprintf(url, sizeof url, "wss://localhost:%u/ws", beam_server_port(server));
  options.tls.ca_file = cert_file;
  memset(t, 0, sizeof *t);
  held_count = 0;
  CHECK_INT(beam_ws_open(ctx, &t->near, &options, &t->error), 0);
  STEP_UNTIL(held_count == 1 || t->closed);
  REQUIRE(CHECK(held_count == 1));
  CHECK_INT(beam_request_accept(held[0], &t->far, &theirs), 0);
  STEP_UNTIL(t->opened || t->closed);
}

static void end_talk(talk *t) {
  beam_ws_free(t->near);
  beam_ws_free(t->far);
  step_for(20);
}

static void messages(void) {
  size_t size = 3 << 20;
  char *text = malloc(size);
  talk t;
  memset(text, 't', size);
  start_secure(0);
  open_talk(&t);
  CHECK_INT(beam_ws_send_text(t.near, "hello", 5), 0);
  CHECK_INT(beam_ws_send_text(t.near, text, size), 0);
  STEP_UNTIL(t.heard == size + 5);
  CHECK_INT(t.far_heard, size + 5);
  CHECK_INT(beam_ws_close(t.near, 1000, "bye"), 0);
  STEP_UNTIL(t.closed && t.far_closed);
  CHECK_INT(t.error.code, 0);
  end_talk(&t);
  stop_server();
  free(text);
}

static void losses(void) {
  int reset;
  start_secure(0);
  for (reset = 0; reset < 2; reset++) {
    talk t;
    open_talk(&t);
    beam_ws_abort(t.far, reset);
    STEP_UNTIL(t.closed && t.far_closed);
    CHECK_INT(t.error.code, BEAM_ECLOSED);
    end_talk(&t);
  }
  stop_server();
}

/* ---- Files ---- */

static void refused(const char *cert, const char *key, const char *says) {
  beam_error error = {0};
  CHECK_INT(listen_with(cert, key, 0, &error), BEAM_EINVALID);
  CHECK_CONTAINS(error.message, says);
}

static void bad_files(void) {
  start_secure(0);
  beam_server_close(server);
  refused("/no/such/file", key_file, "/no/such/file");
  refused(cert_file, NULL, "");
  refused(empty_file, key_file, "there is no certificate in PEM form in it");
  refused(cert_file, cert_file, "there is no private key in PEM form in it");
  refused(cert_file, other_file, "it does not belong to the certificate");
  stop_server();
}

int main(void) {
  RUN(make_files);
  RUN(calls);
  RUN(strangers);
  RUN(those_who_stall);
  RUN(messages);
  RUN(losses);
  RUN(bad_files);
  RUN(remove_files);
  return test_end();
}
