/* TLS sessions: resumed by who made them, and by nobody else. */
#include "websocket_tls_fixture.h"

/* Opens on a context that goes on, and says whether the session was resumed. */
static int is_resumed(client *c, const char *host, unsigned port, beam_tls tls) {
  char url[128];
  beam_ctx *ctx = c->ctx;
  memset(c, 0, sizeof *c);
  c->ctx = ctx;
  snprintf(url, sizeof url, "wss://%s:%u/", host, port);
  CHECK_INT(client_open(c, 0, "", (beam_ws_options){.url = url, .tls = tls}), 0);
  CHECK(wait_for(c, &c->opened, 1));
  CHECK_CONTAINS(c->headers, "x-resumed: ");
  return strstr(c->headers, "x-resumed: yes\n") != NULL;
}

static void end_in_order(client *c) {
  CHECK_INT(beam_ws_close(c->ws, 1000, NULL), 0);
  CHECK(wait_for(c, &c->closed, 1));
  beam_ws_free(c->ws);
}

static int resumes(client *c, const char *host, unsigned port, beam_tls tls) {
  int resumed = is_resumed(c, host, port, tls);
  end_in_order(c);
  return resumed;
}

static void copy_file(const char *from, const char *to) {
  char bytes[65536];
  FILE *in = fopen(file(from), "r"), *out = fopen(file(to), "w");
  size_t len = in ? fread(bytes, 1, sizeof bytes, in) : 0;
  CHECK(out && len && fwrite(bytes, 1, len, out) == len);
  fclose(in);
  fclose(out);
}

static void check_many(unsigned port, const char *version) {
  client c;
  int i, resumed = 0;
  client_start(&c);
  for (i = 0; i < 20; i++)
    resumed += resumes(&c, "localhost", port, (beam_tls){.ca_file = file("ca.pem")});
  CHECK_INT(resumed, 19);
  CHECK_CONTAINS(c.headers, version);
  beam_close(c.ctx);
}

static void test_resumed(void) {
  check_many(server.resume, "TLSv1.3");
  check_many(server.resume_old, "TLSv1.2");
}

/* OpenSSL would take a session for unusable whose connection was not shut down in order. */
static void test_resumed_after_a_loss(void) {
  unsigned ports[] = {server.resume, server.resume_old};
  int i, reset;
  for (i = 0; i < 2; i++)
    for (reset = 0; reset < 2; reset++) {
      client c;
      beam_tls tls = {.ca_file = file("ca.pem")};
      client_start(&c);
      is_resumed(&c, "localhost", ports[i], tls);
      step_for(&c, 20);
      beam_ws_abort(c.ws, reset);
      beam_ws_free(c.ws);
      step_for(&c, 20);
      CHECK(resumes(&c, "localhost", ports[i], tls));
      beam_close(c.ctx);
    }
}

/* A ticket of TLS 1.3 is shown once: of connections made at the same time each has another, or none. */
static void test_tickets_are_shown_once(void) {
  enum { COUNT = 4 };
  client c, all[COUNT];
  char url[128];
  int i, resumed = 0;
  client_start(&c);
  resumes(&c, "localhost", server.resume, (beam_tls){.ca_file = file("ca.pem")});
  snprintf(url, sizeof url, "wss://localhost:%u/", server.resume);
  for (i = 0; i < COUNT; i++) {
    memset(&all[i], 0, sizeof all[i]);
    all[i].ctx = c.ctx;
    CHECK_INT(client_open(&all[i], 0, "", (beam_ws_options){.url = url, .tls = {.ca_file = file("ca.pem")}}), 0);
  }
  for (i = 0; i < COUNT; i++) {
    CHECK(wait_for(&all[i], &all[i].opened, 1));
    resumed += strstr(all[i].headers, "x-resumed: yes\n") != NULL;
  }
  CHECK_INT(resumed, 2); /* as many as the server gave */
  beam_close(c.ctx);
}

static void test_not_by_others(void) {
  client c;
  char authority[300], copy[300];
  beam_tls trusting = {.ca_file = authority}, other = {.ca_file = copy}, any = {.insecure = 1};
  unsigned port = server.resume;
  snprintf(authority, sizeof authority, "%s", file("ca.pem"));
  snprintf(copy, sizeof copy, "%s", file("copy.pem"));
  copy_file("ca.pem", "copy.pem");
  client_start(&c);
  CHECK(!resumes(&c, "localhost", port, trusting));
  CHECK(!resumes(&c, "127.0.0.1", port, trusting));
  CHECK(!resumes(&c, "localhost", port, other));
  CHECK(!resumes(&c, "localhost", port, any));
  CHECK(!resumes(&c, "localhost", server.resume_old, trusting));
  CHECK(resumes(&c, "localhost", port, trusting));
  CHECK(resumes(&c, "localhost", port, other));
  CHECK(resumes(&c, "localhost", port, any));
  copy_file("ca.pem", "copy.pem"); /* the same, written anew: it may be another */
  CHECK(!resumes(&c, "localhost", port, other));
  beam_close(c.ctx);
}

static void test_not_with_another_client_certificate(void) {
  client c;
  char authority[300], certificate[300], key[300];
  beam_tls bare = {.ca_file = authority}, known = {.ca_file = authority, .cert_file = certificate, .key_file = key};
  unsigned port = server.resume;
  snprintf(authority, sizeof authority, "%s", file("ca.pem"));
  snprintf(certificate, sizeof certificate, "%s", file("mine.pem"));
  snprintf(key, sizeof key, "%s", file("mine.key"));
  copy_file("client.pem", "mine.pem");
  copy_file("client.key", "mine.key");
  client_start(&c);
  CHECK(!resumes(&c, "localhost", port, bare));
  CHECK(!resumes(&c, "localhost", port, known));
  CHECK(resumes(&c, "localhost", port, known));
  copy_file("good.pem", "mine.pem"); /* another, in the same place */
  copy_file("good.key", "mine.key");
  CHECK(!resumes(&c, "localhost", port, known));
  CHECK(resumes(&c, "localhost", port, bare));
  beam_close(c.ctx);
}

/* What was not checked once does not count as checked later. */
static void test_an_unchecked_session_is_no_proof(void) {
  client c;
  char url[128];
  client_start(&c);
  CHECK(!resumes(&c, "localhost", server.resume_wrong, (beam_tls){.insecure = 1}));
  memset(&c.opened, 0, sizeof c.opened);
  c.closed = 0;
  snprintf(url, sizeof url, "wss://localhost:%u/", server.resume_wrong);
  CHECK_INT(client_open(&c, 0, "", (beam_ws_options){.url = url, .tls = {.ca_file = file("ca.pem")}}), 0);
  CHECK(wait_for(&c, &c.closed, 1));
  CHECK_INT(c.opened, 0);
  CHECK_INT(c.error.code, BEAM_ETLS);
  beam_close(c.ctx);
}

static int cycles(int count) {
  int i;
  for (i = 0; i < count; i++) {
    client c;
    client_start(&c);
    resumes(&c, "localhost", server.resume, (beam_tls){.ca_file = file("ca.pem")});
    beam_close(c.ctx);
  }
  return open_descriptors();
}

static void test_no_descriptor_is_lost(void) {
  int before = cycles(5);
  CHECK_INT(cycles(100), before);
}

int main(void) {
  server_start();
  RUN(test_resumed);
  RUN(test_resumed_after_a_loss);
  RUN(test_tickets_are_shown_once);
  RUN(test_not_by_others);
  RUN(test_not_with_another_client_certificate);
  RUN(test_an_unchecked_session_is_no_proof);
  RUN(test_no_descriptor_is_lost);
  server_stop();
  return test_end();
}
