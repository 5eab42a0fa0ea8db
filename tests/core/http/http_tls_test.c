/* HTTP over TLS: certificates good and bad, each with its text; HTTP/2 on one connection; tunnels through a proxy. */
#include <dlfcn.h>
#include <openssl/ssl.h>
#include <signal.h>

#include "../net/locked_key.h"
#include "http_fixture.h"

static const char *tls_url(const char *port_name, const char *path) {
  return url_of("https", "localhost", port_name, path);
}

static const char *file(const char *name) {
  static char paths[4][512];
  static int next;
  char *path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", server_text("folder"), name);
  return path;
}

static struct outcome get_tls(const char *url, beam_tls tls) {
  return call((beam_http_options){.url = url, .tls = tls});
}

static void check_refused(const char *port_name, const char *ca, const char *text) {
  struct outcome outcome = get_tls(tls_url(port_name, "/echo"), (beam_tls){.ca_file = ca});
  CHECK_INT(outcome.error.code, BEAM_ETLS);
  CHECK_INT(outcome.error.phase, BEAM_PHASE_TLS);
  CHECK_INT(outcome.error.sent, 0);
  CHECK_CONTAINS(outcome.error.message, text);
  CHECK_CONTAINS(outcome.error.host, "localhost:");
  if (test_case_failures)
    printf("# got %s: %s\n", beam_error_kind(outcome.error.code), outcome.error.message);
  free(outcome.body);
}

/* ---- Certificates ---- */

static void test_good_certificate(void) {
  beam_tls tls = {.ca_file = file("ca.pem")};
  struct outcome outcome = get_tls(tls_url("tls_good", "/echo"), tls);
  CHECK_INT(outcome.error.code, 0);
  CHECK_INT(outcome.status, 200);
  free(outcome.body);
  outcome = get_tls(url_of("https", "127.0.0.1", "tls_good", "/echo"), tls);
  CHECK_INT(outcome.status, 200);
  free(outcome.body);
}

static void test_bad_certificates(void) {
  const char *ca = file("ca.pem");
  check_refused("tls_selfsigned", ca, "self-signed");
  check_refused("tls_expired", ca, "expired");
  check_refused("tls_elsewhere", ca, "another host name (subject CN=Beam test elsewhere, issuer CN=Beam test ca)");
  check_refused("tls_unknown", ca, "issuer is unknown (subject CN=Beam test unknown, issuer CN=Beam test stranger)");
  struct outcome outcome = get_tls(url_of("https", "127.0.0.1", "tls_elsewhere", "/"), (beam_tls){.ca_file = ca});
  CHECK_CONTAINS(outcome.error.message, "not for this address");
  check_refused("tls_good", NULL, "issuer is unknown"); /* the system's store does not know our CA */
}

static char logged[2048];

static void keep_line(void *user, enum beam_log_level level, const char *line) {
  (void)user;
  if (level == BEAM_LOG_WARNING)
    snprintf(logged, sizeof logged, "%s", line);
}

static void test_insecure(void) {
  static const char *const ports[] = {"tls_selfsigned", "tls_expired", "tls_elsewhere", "tls_unknown"};
  beam_options options = {.log = keep_line, .log_level = BEAM_LOG_WARNING};
  beam_ctx *outer = ctx;
  size_t i;
  CHECK_INT(beam_new(&ctx, &options), 0);
  for (i = 0; i < sizeof ports / sizeof *ports; i++) {
    struct outcome outcome = get_tls(tls_url(ports[i], "/echo"), (beam_tls){.insecure = 1});
    CHECK_INT(outcome.status, 200);
    free(outcome.body);
  }
  CHECK_CONTAINS(logged, "insecure");
  /* that it was allowed once does not let the next one use the kept connection */
  check_refused("tls_selfsigned", file("ca.pem"), "self-signed");
  beam_close(ctx);
  ctx = outer;
}

static void test_client_certificate(void) {
  beam_tls tls = {.ca_file = file("ca.pem")};
  struct outcome outcome = get_tls(tls_url("mutual", "/"), tls);
  CHECK_INT(outcome.status, 400); /* nginx says so in HTTP */
  free(outcome.body);
  tls.cert_file = file("client.pem");
  tls.key_file = file("client.key");
  outcome = get_tls(tls_url("mutual", "/"), tls);
  CHECK_INT(outcome.status, 200);
  CHECK_STR(outcome.body, "CN=Beam test client");
  free(outcome.body);
}

static void test_locked_key(void) {
  beam_tls tls = {.ca_file = file("ca.pem"), .cert_file = file("client.pem"), .key_file = file("locked.key")};
  beam_http_options options = {.url = tls_url("mutual", "/"), .on_event = outcome_take};
  struct outcome outcome;
  beam_error error;
  beam_http *http;
  CHECK(lock_key(file("client.key"), tls.key_file, "open sesame"));
  tls.key_passphrase = "open sesame";
  outcome = get_tls(tls_url("mutual", "/"), tls);
  CHECK_INT(outcome.error.code, 0);
  CHECK_STR(outcome.body, "CN=Beam test client");
  free(outcome.body);
  options.tls = tls;
  options.tls.key_passphrase = "open barley"; /* the connection that is kept is not for who does not know it */
  CHECK_INT(beam_http_start(ctx, &http, &options, &error), BEAM_EINVALID);
  CHECK_CONTAINS(error.message, "tls.key_passphrase does not decrypt it");
  CHECK(!strstr(error.message, "barley"));
  unlink(tls.key_file);
}

static void test_handshake_failures(void) {
  struct outcome outcome = get_tls(tls_url("tls_old", "/"), (beam_tls){.ca_file = file("ca.pem")});
  CHECK_INT(outcome.error.code, BEAM_ETLS); /* TLS 1.1 */
  CHECK_INT(outcome.error.phase, BEAM_PHASE_TLS);
  outcome = get_tls(tls_url("banner", "/"), (beam_tls){.ca_file = file("ca.pem")});
  CHECK_INT(outcome.error.code, BEAM_ETLS);
  CHECK_INT(outcome.error.sent, 0);
  CHECK_CONTAINS(outcome.error.message, "no TLS is spoken there: is it a plain http:// or ws:// port?");
  outcome = call((beam_http_options){.url = tls_url("mute", "/"), .connect_timeout_ms = 200});
  CHECK_INT(outcome.error.code, BEAM_ETIMEOUT);
  CHECK_INT(outcome.error.phase, BEAM_PHASE_TLS);
  CHECK_INT(outcome.error.sent, 0);
}

/* ---- HTTP/2 ---- */

static void start_many(struct outcome *outcomes, int count, const char *url, const char *body, size_t body_len) {
  int i;
  for (i = 0; i < count; i++) {
    beam_http_options options = {.url = url,
                                 .on_event = outcome_take,
                                 .user = &outcomes[i],
                                 .body = body,
                                 .body_len = body_len,
                                 .connect_timeout_ms = PATIENCE_MS,
                                 .tls = {.ca_file = file("ca.pem")}};
    CHECK_INT(beam_http_start(ctx, &outcomes[i].http, &options, &outcomes[i].error), 0);
  }
}

static void end_many(struct outcome *outcomes, int count) {
  int i;
  for (i = 0; i < count; i++) {
    beam_http_free(outcomes[i].http);
    free(outcomes[i].body);
  }
}

static void test_http2_shares_one_connection(void) {
  struct outcome outcomes[64] = {{0}};
  int i, files = open_files();
  start_many(outcomes, 64, tls_url("h2", "/"), NULL, 0);
  for (i = 0; i < 64; i++) {
    CHECK(run_until(&outcomes[i].dones, 1, PATIENCE_MS));
    CHECK_STR(outcomes[i].error.message, "");
    CHECK_CONTAINS(outcomes[i].body, "HTTP/2.0 ");
    CHECK_STR(outcomes[i].body, outcomes[0].body ? outcomes[0].body : ""); /* with the connection's number in it */
  }
  CHECK(open_files() <= files + 2);
  end_many(outcomes, 64);
}

static void test_http2_slow_answers_side_by_side(void) {
  struct outcome outcomes[20] = {{0}};
  uint64_t begin = clock_ms();
  int i;
  start_many(outcomes, 20, tls_url("h2", "/slow?s=1"), "{}", 2);
  for (i = 0; i < 20; i++) {
    CHECK(run_until(&outcomes[i].dones, 1, PATIENCE_MS));
    CHECK_INT(outcomes[i].status, 200);
  }
  CHECK(clock_ms() - begin < 15000); /* one after the other: 20 s */
  end_many(outcomes, 20);
}

/* Slows curl down between a request's headers and its body: time enough for nginx to answer without the body. */
static int slow_write;

__attribute__((visibility("default"))) int SSL_write(SSL *ssl, const void *data, int len) {
  int (*real)(SSL *, const void *, int), written;
  *(void **)&real = dlsym(RTLD_NEXT, "SSL_write");
  written = real(ssl, data, len);
  if (slow_write)
    usleep(500);
  return written;
}

/* Whatever is lost of them (core/http/connect.c, beam__http_restart), an answer comes in the end. */
static void check_early_answers(const char *body, size_t body_len) {
  struct outcome outcomes[20] = {{0}};
  int i;
  slow_write = 1;
  start_many(outcomes, 20, tls_url("h2", "/"), body, body_len);
  for (i = 0; i < 20; i++) {
    CHECK(run_until(&outcomes[i].dones, 1, PATIENCE_MS));
    CHECK_STR(outcomes[i].error.message, "");
    CHECK_INT(outcomes[i].status, 200);
  }
  slow_write = 0;
  end_many(outcomes, 20);
}

static void test_http2_early_answers(void) {
  static char body[300000];
  memset(body, 'x', sizeof body);
  check_early_answers("{}", 2);
  check_early_answers(body, 16 * 1024);
  check_early_answers(body, sizeof body); /* HTTP/1.1 from the start */
}

/* nginx ends a connection after 20 requests with a GOAWAY; what it has not taken is sent again, what it has is not. */
static void test_http2_goaway_loses_nothing(void) {
  int round, i;
  for (round = 0; round < 5; round++) {
    struct outcome outcomes[64] = {{0}};
    start_many(outcomes, 64, tls_url("goaway", "/"), "{}", 2);
    for (i = 0; i < 64; i++) {
      CHECK(run_until(&outcomes[i].dones, 1, PATIENCE_MS));
      CHECK_STR(outcomes[i].error.message, "");
      CHECK_INT(outcomes[i].status, 200);
    }
    end_many(outcomes, 64);
  }
}

/* The four that were in flight when a server (http2.py) said what it had to say: so many were answered, in the end. */
static void check_four(const char *server, int answered, const char *body) {
  struct outcome outcomes[4] = {{0}}, first = get_tls(tls_url(server, "/"), (beam_tls){.ca_file = file("ca.pem")});
  int i, good = 0;
  CHECK_INT(first.status, 200);
  free(first.body);
  start_many(outcomes, 4, tls_url(server, "/"), body, body ? strlen(body) : 0);
  for (i = 0; i < 4; i++) {
    CHECK(run_until(&outcomes[i].dones, 1, PATIENCE_MS));
    good += outcomes[i].status == 200;
    if (outcomes[i].status != 200) {
      CHECK_INT(outcomes[i].error.code, BEAM_EHTTP);
      CHECK_INT(outcomes[i].error.phase, BEAM_PHASE_REQUEST);
      CHECK_INT(outcomes[i].error.sent, 1);
    }
  }
  CHECK_INT(good, answered);
  CHECK_INT(count_of(server), 1 + 4 + answered); /* none of the others came twice */
  if (test_case_failures)
    printf("# with %s\n", server);
  end_many(outcomes, 4);
}

/* However the connection ends behind it. */
static void test_http2_refused_goes_again(void) {
  check_four("h2_leaves", 4, "{}");
  check_four("h2_leaves_and_ends", 4, "{}");
  check_four("h2_leaves_and_resets", 4, "{}");
  check_four("h2_refuses", 4, "{}");
  check_four("h2_wants_http1", 4, "{}");
}

/* A handler may have run, though curl (7.88) is as silent of some of these as of those that were refused. */
static void test_http2_broken_goes_once(void) {
  check_four("h2_breaks", 0, "{}");
  check_four("h2_breaks_and_ends", 0, NULL);
  check_four("h2_breaks_and_resets", 0, "{}");
  check_four("h2_breaks_two_and_ends", 2, "{}");
}

static void test_http2_cancel_one_of_many(void) {
  struct outcome outcomes[20] = {{0}};
  int i;
  start_many(outcomes, 20, tls_url("h2", "/slow?s=3"), "{}", 2);
  run_for(300);
  for (i = 0; i < 20; i += 2) {
    beam_http_free(outcomes[i].http);
    outcomes[i].http = NULL;
  }
  for (i = 1; i < 20; i += 2) {
    CHECK(run_until(&outcomes[i].dones, 1, PATIENCE_MS));
    CHECK_INT(outcomes[i].status, 200);
  }
  for (i = 0; i < 20; i += 2)
    CHECK_INT(outcomes[i].dones, 0);
  end_many(outcomes, 20);
}

static void test_a_stream_has_its_own_connection(void) {
  beam_http_options options = {.url = tls_url("h2", "/"), .stream = 1, .tls = {.ca_file = file("ca.pem")}};
  struct outcome outcome = call(options);
  CHECK_CONTAINS(outcome.body, "HTTP/1.1 ");
  free(outcome.body);
}

/* Those that wait for the first one's handshake have the same deadline. */
static void test_waiting_for_a_handshake_ends(void) {
  struct outcome outcomes[3] = {{0}};
  int i;
  for (i = 0; i < 3; i++) {
    beam_http_options options = {
        .url = tls_url("mute", "/"), .on_event = outcome_take, .user = &outcomes[i], .connect_timeout_ms = 300};
    CHECK_INT(beam_http_start(ctx, &outcomes[i].http, &options, NULL), 0);
  }
  for (i = 0; i < 3; i++) {
    CHECK(run_until(&outcomes[i].dones, 1, PATIENCE_MS));
    CHECK_INT(outcomes[i].error.code, BEAM_ETIMEOUT);
    CHECK_INT(outcomes[i].error.sent, 0);
  }
  end_many(outcomes, 3);
}

/* ---- Tunnels ---- */

static const char *proxy_url(const char *credentials, const char *name) {
  static char url[128];
  snprintf(url, sizeof url, "http://%s127.0.0.1:%d", credentials, server_port(name));
  return url;
}

static void test_tunnel(void) {
  beam_http_options options = {.url = tls_url("tls_good", "/echo"),
                               .proxy = proxy_url("", "proxy"),
                               .auth = {BEAM_AUTH_BEARER, NULL, "t0ken", 0},
                               .tls = {.ca_file = file("ca.pem")}};
  int before = count_of("proxied");
  struct outcome outcome = call(options);
  CHECK_INT(outcome.status, 200);
  CHECK_CONTAINS(outcome.body, "Authorization: Bearer t0ken\r\n");
  CHECK(outcome.body && !strstr(outcome.body, "Proxy-"));
  CHECK(!strstr(outcome.headers, "x-proxy"));
  CHECK_INT(count_of("proxied"), before + 1);
  CHECK_INT(count_of("leaked"), 0);
  free(outcome.body);
}

static void check_tunnel_failure(const char *credentials, const char *name, enum beam_phase phase, int status,
                                 const char *text) {
  beam_http_options options = {.url = tls_url("tls_good", "/echo"),
                               .proxy = proxy_url(credentials, name),
                               .tls = {.ca_file = file("ca.pem")},
                               .connect_timeout_ms = 300};
  struct outcome outcome = call(options);
  CHECK_INT(outcome.error.code, strcmp(name, "mute") ? BEAM_ECONNECT : BEAM_ETIMEOUT);
  CHECK_STR(beam_phase_name(outcome.error.phase), beam_phase_name(phase));
  CHECK_INT(outcome.error.status, status);
  CHECK_INT(outcome.error.sent, 0);
  CHECK_CONTAINS(outcome.error.message, text);
  CHECK(!strstr(outcome.error.message, "wrong"));
}

static void test_tunnel_failures(void) {
  beam_http_options options = {.url = tls_url("tls_good", "/echo"), .tls = {.ca_file = file("ca.pem")}};
  struct outcome outcome;
  check_tunnel_failure("", "proxy_auth", BEAM_PHASE_PROXY, 407, "credentials");
  check_tunnel_failure("user:wrong@", "proxy_auth", BEAM_PHASE_PROXY, 407, "credentials");
  check_tunnel_failure("", "refused", BEAM_PHASE_TCP, 0, "the proxy");
  check_tunnel_failure("", "mute", BEAM_PHASE_PROXY, 0, "within 300 ms");
  options.proxy = proxy_url("user:p%40ss@", "proxy_auth");
  outcome = call(options);
  CHECK_STR(outcome.error.message, "");
  CHECK_INT(outcome.status, 200);
  free(outcome.body);
}

/* The last test: it kills nginx, with a request in its hands, on a connection that served before. */
static void test_http2_server_dies(void) {
  struct outcome outcome = get_tls(tls_url("h2", "/"), (beam_tls){.ca_file = file("ca.pem")});
  FILE *pid_file = fopen(file("nginx.pid"), "r");
  int pid = 0, tries, before = count_of("/slow");
  free(outcome.body);
  CHECK(pid_file && fscanf(pid_file, "%d", &pid) == 1 && pid > 1);
  fclose(pid_file);
  memset(&outcome, 0, sizeof outcome);
  start_many(&outcome, 1, tls_url("h2", "/slow?s=20"), "{}", 2);
  for (tries = 0; tries < 200 && count_of("/slow") == before; tries++)
    run_for(20);
  CHECK_INT(count_of("/slow"), before + 1);
  kill(pid, SIGKILL);
  CHECK(run_until(&outcome.dones, 1, PATIENCE_MS));
  CHECK_INT(outcome.error.code, BEAM_EHTTP); /* a second try would say that nobody listens */
  CHECK_INT(outcome.error.phase, BEAM_PHASE_REQUEST);
  CHECK_INT(outcome.error.sent, 1);
  end_many(&outcome, 1);
}

int main(void) {
  server_start();
  if (beam_new(&ctx, NULL))
    return 1;
  RUN(test_good_certificate);
  RUN(test_bad_certificates);
  RUN(test_insecure);
  RUN(test_client_certificate);
  RUN(test_locked_key);
  RUN(test_handshake_failures);
  RUN(test_http2_shares_one_connection);
  RUN(test_http2_slow_answers_side_by_side);
  RUN(test_http2_early_answers);
  RUN(test_http2_goaway_loses_nothing);
  RUN(test_http2_refused_goes_again);
  RUN(test_http2_broken_goes_once);
  RUN(test_http2_cancel_one_of_many);
  RUN(test_a_stream_has_its_own_connection);
  RUN(test_waiting_for_a_handshake_ends);
  RUN(test_tunnel);
  RUN(test_tunnel_failures);
  RUN(test_http2_server_dies);
  beam_close(ctx);
  server_stop();
  return test_end();
}
