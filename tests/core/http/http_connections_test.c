/* Who rides on whose connection (docs/connections.md has the table, a test here for each of its rows): connections are
 * counted where they arrive, at the server and at the proxy. And what a kept connection brings before it is asked. */
#include <stdarg.h>

#include "http_fixture.h"

/* Texts that last: options point to them. */
static const char *text(const char *format, ...) {
  static char texts[256][300];
  static unsigned next;
  char *to = texts[next++ % 256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(to, sizeof texts[0], format, arguments);
  va_end(arguments);
  return to;
}

static const char *address(const char *scheme, const char *host, const char *port_name, const char *path) {
  return text("%s", url_of(scheme, host, port_name, path));
}

static const char *tls_url(const char *port_name, const char *path) {
  return address("https", "localhost", port_name, path);
}
static const char *file(const char *name) { return text("%s/%s", server_text("folder"), name); }

static const char *proxy_url(const char *credentials, const char *name) {
  return text("http://%s127.0.0.1:%d", credentials, server_port(name));
}

/* How many connections came to a port until now; asked over another one. */
static int arrived(const char *port_name) {
  char name[32];
  snprintf(name, sizeof name, "at%%20%d", server_port(port_name));
  return count_of(name);
}

/* ---- The table ---- */

static struct outcome ask(beam_http_options options) {
  struct outcome outcome = call(options);
  if (outcome.error.code)
    printf("# %s: %s\n", options.url, outcome.error.message);
  free(outcome.body);
  outcome.body = NULL;
  return outcome;
}

/* Two calls, one after the other, on a context of their own. How many connections they made to the port. */
static int connections_of(beam_http_options first, beam_http_options second, const char *port_name) {
  beam_ctx *outer = ctx;
  int before = arrived(port_name), made;
  CHECK_INT(beam_new(&ctx, NULL), 0);
  CHECK_INT(ask(first).status, 200);
  CHECK_INT(ask(second).status, 200);
  beam_close(ctx);
  ctx = outer;
  made = arrived(port_name) - before;
  return made;
}

static beam_http_options plain_options(void) {
  return (beam_http_options){.url = address("http", "localhost", "other", "/echo")};
}

static beam_http_options tls_options(void) {
  return (beam_http_options){.url = tls_url("tls_good", "/echo"), .tls = {.ca_file = file("ca.pem")}};
}

static beam_http_options client_options(const char *name) {
  beam_http_options options = tls_options();
  options.url = tls_url("tls_asking", "/who");
  options.tls.cert_file = file(text("%s.pem", name));
  options.tls.key_file = file(text("%s.key", name));
  return options;
}

static void test_what_shares(void) {
  beam_http_options first = plain_options(), second = first;
  second.auth = (beam_auth){BEAM_AUTH_BEARER, NULL, "another-token", 0};
  second.method = "POST";
  CHECK_INT(connections_of(first, second, "other"), 1); /* tokens never decide, nor methods */
  first = tls_options(), second = first;
  first.auth = (beam_auth){BEAM_AUTH_BASIC, "id", "secret", 0};
  second.auth = (beam_auth){BEAM_AUTH_BEARER, NULL, "another-token", 0};
  CHECK_INT(connections_of(first, second, "tls_good"), 1);
  first.stream = 1;
  CHECK_INT(connections_of(first, first, "tls_good"), 1);
}

static void test_host_and_scheme(void) {
  beam_http_options first = plain_options(), second = first;
  second.url = address("http", "127.0.0.1", "other", "/echo");
  CHECK_INT(connections_of(first, second, "other"), 2);
  first = second = tls_options();
  second.url = address("https", "127.0.0.1", "tls_good", "/echo");
  CHECK_INT(connections_of(first, second, "tls_good"), 2);
}

/* Who speaks TLS at a port is not spoken to in plain, nor is a plain call carried by a connection with TLS. */
static void test_plain_where_tls_is_kept(void) {
  struct outcome outcome;
  CHECK_INT(ask(tls_options()).status, 200);
  outcome = call((beam_http_options){.url = address("http", "localhost", "tls_good", "/echo")});
  CHECK(outcome.error.code != 0);
  CHECK_INT(outcome.status, 0);
  free(outcome.body);
  CHECK_INT(ask(tls_options()).status, 200);
}

static void test_trust(void) {
  beam_http_options first = tls_options(), second = first;
  CHECK_INT(connections_of(first, second, "tls_good"), 1);
  second.tls.ca_file = file("both.pem");
  CHECK_INT(connections_of(first, second, "tls_good"), 2);
  second.tls.ca_file = NULL;
  second.tls.insecure = 1;
  CHECK_INT(connections_of(first, second, "tls_good"), 2);
  CHECK_INT(connections_of(second, second, "tls_good"), 1);
}

static void test_client_certificates(void) {
  beam_http_options first = client_options("client"), second = first;
  CHECK_INT(connections_of(first, second, "tls_asking"), 1);
  second = client_options("successor");
  CHECK_INT(connections_of(first, second, "tls_asking"), 2);
}

static void copy(const char *from, const char *to) {
  char bytes[65536];
  FILE *in = fopen(from, "r"), *out = fopen(to, "w");
  size_t len = in ? fread(bytes, 1, sizeof bytes, in) : 0;
  if (!out || fwrite(bytes, 1, len, out) != len)
    abort();
  fclose(in);
  fclose(out);
}

static void check_is(beam_http_options options, const char *name) {
  struct outcome outcome = call(options);
  CHECK_STR(outcome.error.message, "");
  CHECK_CONTAINS(outcome.body, name);
  free(outcome.body);
}

/* Renewed at its path: with another certificate of the same key, with another of its own, both while a connection is
 * kept. */
static void test_a_replaced_client_certificate(void) {
  beam_http_options options = client_options("mine");
  copy(file("client.pem"), file("mine.pem"));
  copy(file("client.key"), file("mine.key"));
  check_is(options, "Beam test client");
  check_is(options, "Beam test client");
  copy(file("successor.pem"), file("mine.pem"));
  copy(file("successor.key"), file("mine.key"));
  check_is(options, "Beam test successor");
  copy(file("client.pem"), file("new.pem"));
  copy(file("client.key"), file("mine.key"));
  CHECK_INT(rename(file("new.pem"), file("mine.pem")), 0);
  check_is(options, "Beam test client");
}

static void test_proxies(void) {
  beam_http_options direct = tls_options(), through = direct, second;
  through.proxy = proxy_url("", "proxy");
  CHECK_INT(connections_of(through, through, "proxy"), 1);
  CHECK_INT(connections_of(direct, through, "tls_good"), 2);
  second = through;
  second.proxy = proxy_url("somebody:else@", "proxy"); /* which takes anybody: the tunnel must be another one */
  CHECK_INT(connections_of(through, second, "proxy"), 2);
  CHECK_INT(connections_of(second, second, "proxy"), 1);
  through.tls = second.tls = (beam_tls){.insecure = 1};
  CHECK_INT(connections_of(through, second, "proxy"), 2);
}

static void check_proxy_refuses(const char *credentials) {
  beam_http_options options = tls_options();
  struct outcome outcome;
  options.proxy = proxy_url(credentials, "proxy_auth");
  outcome = call(options);
  CHECK_STR(beam_error_kind(outcome.error.code), "connect");
  CHECK_STR(beam_phase_name(outcome.error.phase), "proxy");
  CHECK_INT(outcome.error.status, 407);
  free(outcome.body);
}

static void test_nobody_rides_on_anothers_tunnel(void) {
  beam_http_options options = tls_options();
  options.proxy = proxy_url("user:p%40ss@", "proxy_auth");
  CHECK_INT(ask(options).status, 200);
  check_proxy_refuses("user:wrong@");
  check_proxy_refuses("other:p%40ss@");
  check_proxy_refuses("");
  CHECK_INT(ask(options).status, 200);
}

/* ---- What came before it was asked for ---- */

static void check_not_taken(const char *path, const char *scheme, const char *port_name) {
  beam_http_options first = {.url = address(scheme, "localhost", port_name, path), .tls = {.ca_file = file("ca.pem")}};
  beam_http_options second = {
      .url = address(scheme, "localhost", port_name, "/echo"), .body = "{}", .body_len = 2, .tls = first.tls};
  int seen = count_of("early");
  struct outcome outcome = call(first);
  uint64_t end = clock_ms() + 5000;
  CHECK_INT(outcome.status, strstr(path, "empty") ? 204 : 200);
  free(outcome.body);
  while (count_of("early") == seen && clock_ms() < end)
    run_for(5);
  usleep(20000); /* until it is in our socket, with nobody looking */
  outcome = call(second);
  CHECK_STR(outcome.error.message, "");
  CHECK_INT(outcome.status, 200);
  CHECK_CONTAINS(outcome.body, "POST /echo HTTP/1.1\r\n");
  if (test_case_failures)
    printf("# after %s %s\n", scheme, path);
  free(outcome.body);
}

static void test_an_answer_before_its_request(void) {
  static const char *const paths[] = {"/early-later",         "/early-later-close", "/early-at-once",
                                      "/early-at-once-close", "/early-close",       "/early-empty-later",
                                      "/early-empty-at-once", "/early-empty-close", "/early-records"};
  size_t i;
  for (i = 0; i < sizeof paths / sizeof *paths; i++) {
    check_not_taken(paths[i], "http", "other");
    check_not_taken(paths[i], "https", "tls_good");
  }
}

/* ---- The same request once more ---- */

struct repeats {
  int wanted, done, refused, last_status;
  size_t last_len;
  double tcp; /* seconds, of all of them */
};

static void repeat(void *user, beam_http *http, const beam_http_event *event) {
  struct repeats *repeats = user;
  if (event->type != BEAM_HTTP_DONE)
    return;
  repeats->done++;
  repeats->last_status = event->error ? -1 : event->status;
  repeats->last_len = event->len;
  repeats->tcp += event->times->tcp;
  if (repeats->done < repeats->wanted)
    repeats->refused += beam_http_again(http) != 0;
}

static void repeat_at(beam_http_options options, const char *port_name, int status) {
  struct repeats repeats = {.wanted = 5};
  int before = arrived(port_name);
  beam_http *http;
  options.on_event = repeat;
  options.user = &repeats;
  CHECK_INT(beam_http_start(ctx, &http, &options, NULL), 0);
  CHECK_INT(beam_http_again(http), BEAM_EINVALID); /* it runs */
  CHECK(run_until(&repeats.done, 5, PATIENCE_MS));
  CHECK_INT(repeats.refused, 0);
  CHECK_INT(repeats.last_status, status);
  CHECK(arrived(port_name) - before <= 1);
  repeats.wanted = 7; /* from outside of its event, and on from there */
  CHECK_INT(beam_http_again(http), 0);
  CHECK(run_until(&repeats.done, 7, PATIENCE_MS));
  CHECK_INT(repeats.last_status, status);
  CHECK(arrived(port_name) - before <= 1);
  beam_http_free(http);
}

static void test_the_same_request_once_more(void) {
  beam_http_options options = plain_options();
  options.body = "{}";
  options.body_len = 2;
  repeat_at(options, "other", 200);
  options = tls_options();
  options.timeout_ms = 5000;
  repeat_at(options, "tls_good", 200);
  options.stream = 1;
  repeat_at(options, "tls_good", 200);
}

static void test_what_failed_is_not_sent_again(void) {
  struct repeats repeats = {.wanted = 2};
  beam_http_options options = {.url = address("http", "127.0.0.1", "other", "/echo"), .on_event = repeat};
  beam_http *http;
  options.user = &repeats;
  options.timeout_ms = 1;
  options.proxy = "http://127.0.0.1:9"; /* nobody listens */
  CHECK_INT(beam_http_start(ctx, &http, &options, NULL), 0);
  CHECK(run_until(&repeats.done, 1, PATIENCE_MS));
  CHECK_INT(repeats.refused, 1);
  CHECK_INT(repeats.last_status, -1);
  beam_http_free(http);
}

int main(void) {
  server_start();
  if (beam_new(&ctx, NULL))
    return 1;
  RUN(test_what_shares);
  RUN(test_host_and_scheme);
  RUN(test_plain_where_tls_is_kept);
  RUN(test_trust);
  RUN(test_client_certificates);
  RUN(test_a_replaced_client_certificate);
  RUN(test_proxies);
  RUN(test_nobody_rides_on_anothers_tunnel);
  RUN(test_an_answer_before_its_request);
  RUN(test_the_same_request_once_more);
  RUN(test_what_failed_is_not_sent_again);
  beam_close(ctx);
  server_stop();
  return test_end();
}
