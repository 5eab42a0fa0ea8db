/* Whom an exchange trusts: a CA file is waited for without blocking, and no connection made under one trust serves
 * another. */
#include <fcntl.h>
#include <sys/stat.h>

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

static struct outcome get_with(const char *ca, const char *port_name) {
  return call((beam_http_options){.url = tls_url(port_name, "/echo"), .tls = {.ca_file = ca}});
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

/* ---- Connections ---- */

static void check_served(const char *ca, const char *port_name) {
  struct outcome outcome = get_with(ca, port_name);
  CHECK_STR(outcome.error.message, "");
  CHECK_INT(outcome.status, 200);
  free(outcome.body);
}

static void check_untrusted(const char *ca, const char *port_name) {
  struct outcome outcome = get_with(ca, port_name);
  CHECK_INT(outcome.error.code, BEAM_ETLS);
  CHECK_CONTAINS(outcome.error.message, "issuer is unknown");
  CHECK_INT(outcome.status, 0);
  free(outcome.body);
}

static void check_apart(const char *port_name) {
  check_served(file("ca.pem"), port_name);
  check_untrusted(file("stranger.pem"), port_name); /* with a good connection kept */
  check_untrusted(NULL, port_name);                 /* the system's */
  check_served(file("ca.pem"), port_name);
}

static void other_trust_has_other_connections(void) {
  check_apart("tls_good");
  check_apart("h2");
}

/* nginx answers with the connection's number. */
static void same_trust_shares_connections(void) {
  struct outcome first = get_with(file("ca.pem"), "h2"), second = get_with(file("ca.pem"), "h2");
  CHECK_INT(second.status, 200);
  CHECK_STR(second.body, first.body);
  free(first.body);
  free(second.body);
}

/* A TLS session of another trust would be as good as its connection: so the kept ones are closed first. */
static void other_trust_resumes_no_session(void) {
  beam_ctx *outer = ctx;
  CHECK_INT(beam_new(&ctx, NULL), 0);
  free(call((beam_http_options){.url = tls_url("tls_good", "/echo"),
                                .tls = {.ca_file = file("ca.pem")},
                                .headers = &(beam_header){"Connection", "close"},
                                .header_count = 1})
           .body);
  check_untrusted(file("stranger.pem"), "tls_good");
  beam_close(ctx);
  ctx = outer;
}

static void a_renewed_file_counts_at_once(void) {
  copy(file("ca.pem"), file("renewed.pem"));
  check_served(file("renewed.pem"), "tls_good");
  copy(file("stranger.pem"), file("new.pem"));
  CHECK_INT(rename(file("new.pem"), file("renewed.pem")), 0);
  check_untrusted(file("renewed.pem"), "tls_good");
  copy(file("ca.pem"), file("renewed.pem"));
  check_served(file("renewed.pem"), "tls_good");
}

/* ---- Files that are slow: a pipe, fed when the test says so ---- */

/* Each load has a pipe of its own, or one would read what is meant for the next. */
static const char *make_pipe(void) {
  static char path[512];
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
    usleep(1000);
  CHECK(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
  close(fd);
  fclose(in);
}

/* `outcome` takes what becomes of it. Whatever waited for the pipe would wait for ever. */
static void start(struct outcome *outcome, const char *pipe, unsigned connect_timeout_ms) {
  beam_http_options options = {.url = tls_url("tls_good", "/echo"),
                               .tls = {.ca_file = pipe},
                               .connect_timeout_ms = connect_timeout_ms,
                               .on_event = outcome_take,
                               .user = outcome};
  memset(outcome, 0, sizeof *outcome);
  CHECK_INT(beam_http_start(ctx, &outcome->http, &options, NULL), 0);
}

static void waits_for_a_slow_file(void) {
  struct outcome outcome;
  const char *slow = make_pipe();
  start(&outcome, slow, 0);
  run_for(300);
  CHECK_INT(outcome.dones, 0);
  feed(slow, file("ca.pem"));
  CHECK(run_until(&outcome.dones, 1, PATIENCE_MS));
  CHECK_STR(outcome.error.message, "");
  CHECK_INT(outcome.status, 200);
  beam_http_free(outcome.http);
  free(outcome.body);
}

static void check_ended(const char *pipe, unsigned timeout_ms, int code, const char *text) {
  struct outcome outcome;
  start(&outcome, pipe, timeout_ms);
  if (!timeout_ms)
    feed(pipe, file("ca.key"));
  CHECK(run_until(&outcome.dones, 1, PATIENCE_MS));
  CHECK_INT(outcome.error.code, code);
  CHECK_INT(outcome.error.sent, 0);
  CHECK_CONTAINS(outcome.error.message, text);
  run_for(20);
  CHECK_INT(outcome.dones, 1);
  beam_http_free(outcome.http);
}

static void tells_what_became_of_it(void) {
  const char *slow = make_pipe();
  check_ended(slow, 200, BEAM_ETIMEOUT, "CA certificates are still being read");
  feed(slow, file("ca.pem")); /* too late, to nobody */
  run_for(50);
  check_ended(make_pipe(), 0, BEAM_EINVALID, "no certificate in PEM form");
}

static void may_be_given_up_while_it_waits(void) {
  const char *slow = make_pipe();
  beam_ctx *outer = ctx;
  struct outcome outcome;
  start(&outcome, slow, 0);
  run_for(20);
  beam_http_free(outcome.http);
  feed(slow, file("ca.pem"));
  run_for(50);
  CHECK_INT(outcome.dones, 0);
  slow = make_pipe();
  CHECK_INT(beam_new(&ctx, NULL), 0);
  start(&outcome, slow, 0);
  run_for(20);
  beam_close(ctx);
  ctx = outer;
  feed(slow, file("ca.pem"));
  usleep(200000); /* its thread ends, for the leak check */
  CHECK_INT(outcome.dones, 0);
}

int main(void) {
  server_start();
  if (beam_new(&ctx, NULL))
    return 1;
  RUN(other_trust_has_other_connections);
  RUN(same_trust_shares_connections);
  RUN(other_trust_resumes_no_session);
  RUN(a_renewed_file_counts_at_once);
  RUN(waits_for_a_slow_file);
  RUN(tells_what_became_of_it);
  RUN(may_be_given_up_while_it_waits);
  beam_close(ctx);
  server_stop();
  return test_end();
}
