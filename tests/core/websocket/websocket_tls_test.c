/* wss://: certificates good and bad, each with its text; what goes wrong in the handshake; records of every size. */
#include <signal.h>
#include <sys/stat.h>

#include "../net/locked_key.h"
#include "websocket_tls_fixture.h"

enum { MIB = 1024 * 1024 };

/* ---- The client ---- */

static void check_echo(client *c) {
  CHECK(wait_for(c, &c->opened, 1));
  CHECK_INT(beam_ws_send_text(c->ws, "hello", 5), 0);
  CHECK(wait_for(c, &c->messages, 1));
  CHECK_STR(c->last, "hello");
  CHECK_STR(c->log, "dns tcp tls upgrade open ");
  client_end(c);
}

static void check_refused(client *c, const char *text, const char *further) {
  CHECK(wait_for(c, &c->closed, 1));
  CHECK_INT(c->opened, 0);
  CHECK_INT(c->error.code, BEAM_ETLS);
  CHECK_INT(c->error.phase, BEAM_PHASE_TLS);
  CHECK_INT(c->error.sent, 0);
  CHECK_CONTAINS(c->error.message, text);
  CHECK_CONTAINS(c->error.message, further);
  CHECK_CONTAINS(c->error.host, "localhost:");
  client_end(c);
}

static void test_name_and_addresses(void) {
  client c;
  open_tls(&c, "localhost", server.good, (beam_ws_options){0});
  check_echo(&c);
  open_tls(&c, "127.0.0.1", server.good, (beam_ws_options){0});
  check_echo(&c);
  open_tls(&c, "[::1]", server.v6, (beam_ws_options){0});
  check_echo(&c);
  open_tls(&c, "localhost.", server.good, (beam_ws_options){0}); /* the root's dot is in no certificate */
  check_echo(&c);
}

static void test_bad_certificates(void) {
  client c;
  open_tls(&c, "localhost", server.wrong, (beam_ws_options){0});
  check_refused(&c, "another host name", "CN=Beam test wrong");
  open_tls(&c, "localhost", server.expired, (beam_ws_options){0});
  check_refused(&c, "expired", "CN=Beam test ca");
  open_tls(&c, "localhost", server.unknown, (beam_ws_options){0});
  check_refused(&c, "issuer", "CN=Beam test other");
  open_tls(&c, "localhost", server.other, (beam_ws_options){0});
  check_refused(&c, "self-signed", "ca_file");
}

/* The certificate names an address that is not the one in the URL: 4.1.6 alone would check an IPv6 address against
 * nothing. */
static void test_wrong_address(void) {
  client c;
  open_tls(&c, "127.0.0.1", server.wrong, (beam_ws_options){0});
  CHECK(wait_for(&c, &c.closed, 1));
  CHECK_INT(c.error.code, BEAM_ETLS);
  CHECK_CONTAINS(c.error.message, "address");
  client_end(&c);
}

static void test_system_store(void) {
  client c;
  char url[128];
  snprintf(url, sizeof url, "wss://localhost:%u/", server.good);
  client_start(&c);
  CHECK_INT(client_open(&c, 0, "", (beam_ws_options){.url = url}), 0);
  check_refused(&c, "issuer", "ca_file"); /* nobody trusts our CA */
  setenv("SSL_CERT_FILE", file("ca.pem"), 1);
  client_start(&c);
  CHECK_INT(client_open(&c, 0, "", (beam_ws_options){.url = url}), 0);
  check_echo(&c);
  unsetenv("SSL_CERT_FILE");
}

/* ---- A CA file that is slow: a pipe, fed when the test says so ---- */

/* Each load has a pipe of its own, or one would read what is meant for the next. */
static const char *make_pipe(void) {
  static char path[300];
  static int count;
  char name[32];
  snprintf(name, sizeof name, "slow%d.pem", count++);
  snprintf(path, sizeof path, "%s", file(name));
  CHECK_INT(mkfifo(path, 0600), 0);
  return path;
}

static void feed(const char *pipe, const char *from) {
  char bytes[65536];
  FILE *in = fopen(from, "r");
  size_t len = in ? fread(bytes, 1, sizeof bytes, in) : 0;
  int fd, tries = 0;
  while ((fd = open(pipe, O_WRONLY | O_NONBLOCK)) < 0 && ++tries < 5000) /* nobody reads it yet */
    sleep_ms(1);
  CHECK(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
  close(fd);
  fclose(in);
}

/* Whatever waited for the pipe would wait for ever. */
static void open_slow(client *c, const char *pipe, unsigned connect_timeout_ms) {
  open_tls(c, "localhost", server.good,
           (beam_ws_options){.tls = {.ca_file = pipe}, .connect_timeout_ms = connect_timeout_ms});
}

static void test_slow_ca_file(void) {
  const char *slow = make_pipe();
  client c;
  open_slow(&c, slow, 0);
  step_for(&c, 300);
  CHECK_STR(c.log, "dns "); /* the name is long known; no connection is made before the certificates are */
  feed(slow, file("ca.pem"));
  check_echo(&c);
}

static void test_ca_file_that_fails(void) {
  const char *slow = make_pipe();
  client c;
  open_slow(&c, slow, 200);
  CHECK(wait_for(&c, &c.closed, 1));
  CHECK_INT(c.error.code, BEAM_ETIMEOUT);
  CHECK_CONTAINS(c.error.message, "the CA certificates were not read within 200 ms (connect_timeout)");
  client_end(&c);
  feed(slow, file("ca.pem")); /* too late, to nobody */
  slow = make_pipe();
  open_slow(&c, slow, 0);
  feed(slow, file("good.key"));
  CHECK(wait_for(&c, &c.closed, 1));
  CHECK_INT(c.error.code, BEAM_EINVALID);
  CHECK_INT(c.error.phase, BEAM_PHASE_TLS);
  CHECK_INT(c.error.sent, 0);
  CHECK_CONTAINS(c.error.message, slow);
  CHECK_CONTAINS(c.error.message, "no certificate in PEM form");
  client_end(&c);
}

static void test_given_back_before_the_ca_file(void) {
  const char *slow = make_pipe();
  client c;
  open_slow(&c, slow, 0);
  step_for(&c, 20);
  beam_ws_free(c.ws);
  c.ws = NULL;
  step_for(&c, 20);
  client_end(&c);
  feed(slow, file("ca.pem")); /* its thread ends, for the leak check */
  slow = make_pipe();
  open_slow(&c, slow, 0);
  client_end(&c);
  feed(slow, file("ca.pem"));
  sleep_ms(200);
}

static char log_line[512];

static void on_log(void *user, enum beam_log_level level, const char *line) {
  (void)user;
  if (level == BEAM_LOG_WARNING)
    snprintf(log_line, sizeof log_line, "%s", line);
}

static void test_insecure(void) {
  beam_options options = {.log = on_log, .log_level = BEAM_LOG_WARNING};
  client c = {0};
  char url[128];
  snprintf(url, sizeof url, "wss://localhost:%u/", server.expired);
  CHECK_INT(beam_new(&c.ctx, &options), 0);
  CHECK_INT(client_open(&c, 0, "", (beam_ws_options){.url = url, .tls = {.insecure = 1}}), 0);
  check_echo(&c);
  CHECK_CONTAINS(log_line, "insecure");
}

/* There is nothing to verify. */
static void test_insecure_in_plain(void) {
  beam_options options = {.log = on_log, .log_level = BEAM_LOG_WARNING};
  client c = {0};
  char url[128];
  *log_line = '\0';
  snprintf(url, sizeof url, "ws://localhost:%u/", server.expired);
  CHECK_INT(beam_new(&c.ctx, &options), 0);
  CHECK_INT(client_open(&c, 0, "", (beam_ws_options){.url = url, .tls = {.insecure = 1}}), 0);
  client_end(&c);
  CHECK_STR(log_line, "");
}

static void test_client_certificate(void) {
  client c;
  beam_ws_options options = {.tls = {.cert_file = file("client.pem"), .key_file = file("client.key")}};
  open_tls(&c, "localhost", server.client, options);
  check_echo(&c);
  open_tls(&c, "localhost", server.client, (beam_ws_options){0});
  check_refused(&c, "handshake", "");
}

static void test_locked_key(void) {
  client c;
  beam_ws_options options = {.tls = {.cert_file = file("client.pem"), .key_file = file("locked.key")}};
  CHECK(lock_key(file("client.key"), options.tls.key_file, "open sesame"));
  options.tls.key_passphrase = "open sesame";
  open_tls(&c, "localhost", server.client, options);
  check_echo(&c);
  unlink(options.tls.key_file);
}

/* In TLS 1.3 the refusal comes in place of an answer, when the request has left. */
static void test_client_certificate_missing(void) {
  client c;
  open_tls(&c, "localhost", server.demanding, (beam_ws_options){0});
  CHECK(wait_for(&c, &c.closed, 1));
  CHECK_INT(c.error.code, BEAM_ETLS);
  CHECK_INT(c.error.phase, BEAM_PHASE_TLS);
  CHECK_CONTAINS(c.error.message, "certificate required");
  CHECK_CONTAINS(c.error.message, "set tls.cert_file and tls.key_file");
  client_end(&c);
}

static void test_through_a_proxy(void) {
  client c;
  char proxy[64];
  beam_ws_options options = {.proxy = proxy};
  snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", server.proxy);
  open_tls(&c, "localhost", server.good, options);
  CHECK(wait_for(&c, &c.opened, 1));
  CHECK_STR(c.log, "dns tcp proxy tls upgrade open ");
  beam_ws_send_text(c.ws, "hello", 5);
  CHECK(wait_for(&c, &c.messages, 1));
  client_end(&c);
  open_tls(&c, "localhost", server.wrong, options);
  check_refused(&c, "another host name", "CN=Beam test wrong");
}

/* ---- The handshake ---- */

static void test_what_is_no_tls(void) {
  client c;
  open_tls(&c, "localhost", server.plain, (beam_ws_options){0});
  check_refused(&c, "wrong version number", "no TLS is spoken there");
  open_tls(&c, "localhost", server.hang_up, (beam_ws_options){0});
  check_refused(&c, "TLS handshake", "");
}

static void test_stalled_handshake(void) {
  client c;
  open_tls(&c, "localhost", server.stall, (beam_ws_options){.connect_timeout_ms = 300});
  CHECK(wait_for(&c, &c.closed, 1));
  CHECK_INT(c.error.code, BEAM_ETIMEOUT);
  CHECK_INT(c.error.phase, BEAM_PHASE_TLS);
  client_end(&c);
}

static enum beam_phase free_at;

static void free_in_phase(client *c, const beam_ws_event *event) {
  if (event->type != BEAM_WS_PHASE || event->phase != free_at)
    return;
  beam_ws_free(c->ws);
  c->ws = NULL;
}

static void test_given_back_in_the_handshake(void) {
  static const enum beam_phase phases[] = {BEAM_PHASE_TLS, BEAM_PHASE_UPGRADE, BEAM_PHASE_OPEN};
  size_t i;
  for (i = 0; i < sizeof phases / sizeof *phases; i++) {
    client c;
    int turn;
    free_at = phases[i];
    open_tls(&c, "localhost", server.good, (beam_ws_options){0});
    c.hook = free_in_phase;
    for (turn = 0; turn < 300 && c.ws; turn++)
      beam_step(c.ctx, 10);
    CHECK(!c.ws);
    step_for(&c, 20);
    client_end(&c);
  }
}

static void test_end_at_any_step(void) {
  int steps;
  for (steps = 0; steps < 14; steps++) {
    client c;
    int i;
    open_tls(&c, "localhost", server.good, (beam_ws_options){0});
    for (i = 0; i < steps; i++)
      beam_step(c.ctx, 3);
    beam_close(c.ctx);
  }
}

/* ---- Records ---- */

static void test_large_messages(void) {
  static const size_t lengths[] = {1, 16383, 16384, 16385, 65536, 200000, 4 * MIB};
  client c;
  size_t i;
  char *data = calloc(4, MIB);
  open_tls(&c, "localhost", server.good, (beam_ws_options){0});
  CHECK(wait_for(&c, &c.opened, 1));
  for (i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    size_t before = c.bytes;
    CHECK_INT(beam_ws_send_binary(c.ws, data, lengths[i]), 0);
    CHECK(wait_for(&c, &c.messages, (int)i + 1));
    CHECK_INT(c.bytes - before, lengths[i]);
  }
  CHECK_INT(beam_ws_pending(c.ws), 0);
  beam_ws_close(c.ws, 1000, NULL);
  CHECK(wait_for(&c, &c.closed, 1));
  CHECK_INT(c.failed, 0);
  client_end(&c);
  free(data);
}

/* What had come before a reset is handed on, decoded, and then the loss. */
static void test_reset_after_data(void) {
  client c;
  open_tls(&c, "localhost", server.reset, (beam_ws_options){0});
  CHECK(wait_for(&c, &c.opened, 1));
  beam_ws_send_text(c.ws, "now", 3);
  sleep_ms(300); /* all of it is there, and the reset behind it */
  CHECK(wait_for(&c, &c.closed, 1));
  CHECK_INT(c.messages, 10);
  CHECK_INT(c.bytes, 10 * 4000);
  CHECK_INT(c.code, 1006);
  CHECK_INT(c.error.system, ECONNRESET);
  client_end(&c);
}

static void test_pause(void) {
  client c;
  char *data = calloc(1, MIB);
  open_tls(&c, "localhost", server.good, (beam_ws_options){0});
  CHECK(wait_for(&c, &c.opened, 1));
  beam_ws_pause(c.ws);
  CHECK_INT(beam_ws_send_binary(c.ws, data, MIB), 0);
  step_for(&c, 100);
  CHECK_INT(c.messages, 0);
  beam_ws_resume(c.ws);
  CHECK(wait_for(&c, &c.messages, 1));
  client_end(&c);
  free(data);
}

/* The first write to a peer that has gone is answered with a reset, the second one is refused: without our own BIO the
 * process would die of SIGPIPE. */
static void test_no_sigpipe(void) {
  client c;
  int i;
  signal(SIGPIPE, SIG_DFL);
  open_tls(&c, "localhost", server.leave, (beam_ws_options){0});
  CHECK(wait_for(&c, &c.opened, 1));
  beam_ws_send_text(c.ws, "now", 3);
  for (i = 0; i < 3; i++) {
    sleep_ms(100);
    beam_ws_send_text(c.ws, "too late", 8);
  }
  CHECK(wait_for(&c, &c.closed, 1));
  CHECK_INT(c.code, 1006);
  CHECK_INT(c.error.code, BEAM_ECLOSED);
  client_end(&c);
}

int main(void) {
  server_start();
  RUN(test_name_and_addresses);
  RUN(test_bad_certificates);
  RUN(test_wrong_address);
  RUN(test_system_store);
  RUN(test_slow_ca_file);
  RUN(test_ca_file_that_fails);
  RUN(test_given_back_before_the_ca_file);
  RUN(test_insecure);
  RUN(test_insecure_in_plain);
  RUN(test_client_certificate);
  RUN(test_locked_key);
  RUN(test_client_certificate_missing);
  RUN(test_through_a_proxy);
  RUN(test_what_is_no_tls);
  RUN(test_stalled_handshake);
  RUN(test_given_back_in_the_handshake);
  RUN(test_end_at_any_step);
  RUN(test_large_messages);
  RUN(test_reset_after_data);
  RUN(test_pause);
  RUN(test_no_sigpipe);
  server_stop();
  return test_end();
}
