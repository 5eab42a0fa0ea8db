/* HTTP over time: streams and back-pressure, cancelling at every moment, the pool, and that nothing is sent twice. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <malloc.h>
#include <netdb.h>
#include <stdatomic.h>

#include "http_fixture.h"

/* ---- A name server of our own: curl's look-ups end here ---- */

static atomic_int slow_is_held; /* slow.test has no answer yet */

__attribute__((visibility("default"))) int getaddrinfo(const char *host, const char *service,
                                                       const struct addrinfo *hints, struct addrinfo **result) {
  int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
  *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
  while (host && !strcmp(host, "slow.test") && slow_is_held)
    usleep(1000);
  if (host && !strcmp(host, "nowhere.test"))
    return EAI_NONAME;
  return real(host && strstr(host, ".test") ? "127.0.0.1" : host, service, hints, result);
}

static struct outcome *start(struct outcome *outcome, beam_http_options options) {
  memset(outcome, 0, sizeof *outcome);
  if (!options.on_event)
    options.on_event = outcome_take;
  if (!options.user)
    options.user = outcome;
  if (!options.connect_timeout_ms)
    options.connect_timeout_ms = PATIENCE_MS;
  outcome->failed = beam_http_start(ctx, &outcome->http, &options, &outcome->error);
  CHECK_INT(outcome->failed, 0);
  return outcome;
}

static void finish(struct outcome *outcome) {
  beam_http_free(outcome->http);
  free(outcome->body);
  memset(outcome, 0, sizeof *outcome);
}

/* ---- Streams ---- */

static void test_stream(void) {
  struct outcome outcome = call((beam_http_options){.url = plain("/chunked"), .stream = 1});
  CHECK_INT(outcome.heads, 1);
  CHECK(outcome.pieces >= 2);
  CHECK_STR(outcome.body, "one two three");
  CHECK_INT(outcome.error.code, 0);
  free(outcome.body);
  outcome = call((beam_http_options){.url = plain("/members"), .stream = 1});
  CHECK_INT(outcome.len, 21000);
  free(outcome.body);
  outcome = call((beam_http_options){.url = plain("/nothing"), .stream = 1});
  CHECK_INT(outcome.heads, 1);
  CHECK_INT(outcome.pieces, 0);
  CHECK_INT(outcome.status, 204);
  outcome = call((beam_http_options){.url = plain("/truncated-gzip"), .stream = 1});
  CHECK_INT(outcome.error.code, BEAM_EHTTP);
  free(outcome.body);
  outcome = call((beam_http_options){.url = plain("/short"), .stream = 1});
  CHECK_STR(outcome.body, "only this");
  CHECK_INT(outcome.error.code, BEAM_EHTTP);
  free(outcome.body);
}

struct reader {
  struct outcome outcome;
  size_t total, late; /* bytes; those that came while paused */
  int paused, pause_at_each, done;
};

static void read_and_pause(void *user, beam_http *http, const beam_http_event *event) {
  struct reader *reader = user;
  if (event->type == BEAM_HTTP_DONE) {
    reader->done++;
    reader->outcome.error.code = event->error ? event->error->code : 0;
  }
  if (event->type != BEAM_HTTP_DATA)
    return;
  reader->late += reader->paused ? event->len : 0;
  reader->total += event->len;
  reader->outcome.pieces++;
  if (reader->pause_at_each || reader->outcome.pieces == 1) {
    reader->paused = 1;
    beam_http_pause(http);
  }
}

static void test_pause_holds_the_sender_back(void) {
  struct reader reader = {0};
  beam_http_options options = {.url = plain("/flood"), .stream = 1, .on_event = read_and_pause, .user = &reader};
  int sent;
  start(&reader.outcome, options);
  run_for(500);
  CHECK(reader.paused);
  do {
    sent = count_of("flood");
    run_for(300);
  } while (count_of("flood") != sent);
  CHECK(sent > 0 && sent < 16 << 20); /* what the two sockets hold */
  run_for(200);
  CHECK_INT(count_of("flood"), sent);
  CHECK_INT(reader.late, 0);
  reader.paused = 0;
  beam_http_resume(reader.outcome.http);
  CHECK(run_until(&reader.done, 1, PATIENCE_MS));
  CHECK_INT(reader.outcome.error.code, 0);
  CHECK_INT(reader.total, 32 << 20);
  beam_http_free(reader.outcome.http);
}

/* One small write of a gzip bomb decodes to many pieces: the pause holds between them too. */
static void test_pause_within_a_decoded_chunk(void) {
  struct reader reader = {.pause_at_each = 1};
  beam_http_options options = {.url = plain("/bomb?mib=3"), .stream = 1, .on_event = read_and_pause, .user = &reader};
  uint64_t end = clock_ms() + 20000;
  start(&reader.outcome, options);
  while (!reader.done && clock_ms() < end) {
    beam_step(ctx, 10);
    if (reader.paused) {
      size_t before = reader.total;
      beam_step(ctx, 0);
      CHECK_INT(reader.total, before);
      reader.paused = 0;
      beam_http_resume(reader.outcome.http);
      CHECK_INT(reader.total, before); /* nothing from inside the call */
    }
  }
  CHECK_INT(reader.done, 1);
  CHECK_INT(reader.outcome.error.code, 0);
  CHECK_INT(reader.total, 3 << 20);
  CHECK_INT(reader.late, 0);
  CHECK(reader.outcome.pieces > 100);
  beam_http_free(reader.outcome.http);
}

static void test_timeout_while_paused(void) {
  struct reader reader = {0};
  beam_http_options options = {
      .url = plain("/flood"), .stream = 1, .on_event = read_and_pause, .user = &reader, .timeout_ms = 300};
  start(&reader.outcome, options);
  CHECK(run_until(&reader.done, 1, PATIENCE_MS));
  CHECK_INT(reader.outcome.error.code, BEAM_ETIMEOUT);
  CHECK_INT(reader.late, 0);
  beam_http_free(reader.outcome.http);
}

/* ---- Cancelling ---- */

static void cancel_after(beam_http_options options, int ms) {
  struct outcome outcome;
  uint64_t start_time;
  start(&outcome, options);
  run_for(ms);
  CHECK_INT(outcome.dones, 0);
  start_time = clock_ms();
  beam_http_free(outcome.http);
  CHECK(clock_ms() - start_time < 20000); /* the name would not come, the server be silent for 30 s */
  run_for(20);
  CHECK_INT(outcome.dones, 0);
  free(outcome.body);
}

static void test_cancel_in_every_phase(void) {
  char slow[64];
  snprintf(slow, sizeof slow, "http://slow.test:%d/echo", server_port("plain"));
  cancel_after((beam_http_options){.url = plain("/echo")}, 0); /* not begun */
  slow_is_held = 1;
  cancel_after((beam_http_options){.url = slow}, 100); /* DNS */
  slow_is_held = 0;
  cancel_after((beam_http_options){.url = url_of("http", "127.0.0.1", "black_hole", "/")}, 50); /* TCP */
  cancel_after((beam_http_options){.url = url_of("https", "127.0.0.1", "mute", "/")}, 50);      /* TLS */
  cancel_after((beam_http_options){.url = plain("/silent")}, 50);                               /* request */
  cancel_after((beam_http_options){.url = plain("/stall")}, 50);                                /* response */
  cancel_after((beam_http_options){.url = plain("/stall"), .stream = 1}, 50);
}

enum { FREE_AT_HEAD = 1, FREE_AT_DATA, FREE_AT_DONE };

struct canceler {
  beam_http *http, *other;
  int when, events, after;
};

static void cancel_inside(void *user, beam_http *http, const beam_http_event *event) {
  struct canceler *canceler = user;
  int when = event->type == BEAM_HTTP_HEADERS ? FREE_AT_HEAD
             : event->type == BEAM_HTTP_DATA  ? FREE_AT_DATA
                                              : FREE_AT_DONE;
  if (canceler->events && !canceler->http)
    canceler->after++;
  if (when != canceler->when)
    return;
  canceler->events++;
  canceler->http = NULL;
  beam_http_free(http);
  beam_http_free(canceler->other);
  canceler->other = NULL;
}

static void cancel_in_callback(const char *url, int when) {
  struct canceler canceler = {.when = when};
  struct outcome other;
  beam_http_options options = {.url = url, .stream = 1, .on_event = cancel_inside, .user = &canceler};
  start(&other, (beam_http_options){.url = plain("/silent")});
  canceler.other = other.http;
  CHECK_INT(beam_http_start(ctx, &canceler.http, &options, NULL), 0);
  CHECK(run_until(&canceler.events, 1, PATIENCE_MS));
  run_for(50);
  CHECK_INT(canceler.after, 0);
  CHECK_INT(other.dones, 0);
}

static void test_cancel_in_a_callback(void) {
  cancel_in_callback(plain("/chunked"), FREE_AT_HEAD);
  cancel_in_callback(plain("/chunked"), FREE_AT_DATA);
  cancel_in_callback(plain("/chunked"), FREE_AT_DONE);
  cancel_in_callback(plain("/bomb?mib=3"), FREE_AT_DATA);
  cancel_in_callback(url_of("http", "127.0.0.1", "refused", "/"), FREE_AT_DONE);
}

static void test_cancel_while_paused(void) {
  struct reader reader = {0};
  beam_http_options options = {.url = plain("/bomb?mib=3"), .stream = 1, .on_event = read_and_pause, .user = &reader};
  start(&reader.outcome, options);
  CHECK(run_until(&reader.paused, 1, PATIENCE_MS));
  beam_http_resume(reader.outcome.http); /* its task is queued, and must go with it */
  beam_http_free(reader.outcome.http);
  run_for(30);
  CHECK_INT(reader.done, 0);
}

static void test_close_with_all_in_flight(void) {
  beam_ctx *before = ctx;
  char slow[64];
  struct outcome outcomes[6];
  size_t i;
  snprintf(slow, sizeof slow, "http://slow.test:%d/", server_port("plain"));
  const char *urls[] = {slow,
                        url_of("http", "127.0.0.1", "black_hole", "/"),
                        url_of("https", "127.0.0.1", "mute", "/"),
                        plain("/silent"),
                        plain("/stall"),
                        plain("/echo")};
  CHECK_INT(beam_new(&ctx, NULL), 0);
  slow_is_held = 1;
  for (i = 0; i < 6; i++)
    start(&outcomes[i], (beam_http_options){.url = urls[i]});
  run_for(60);
  uint64_t begin = clock_ms();
  beam_close(ctx);
  CHECK(clock_ms() - begin < 20000); /* the name would not come, the server be silent for 30 s */
  slow_is_held = 0;
  for (i = 0; i < 6; i++)
    free(outcomes[i].body);
  ctx = before;
}

/* ---- Names ---- */

static void test_names(void) {
  char url[64];
  struct outcome outcome;
  slow_is_held = 1;
  snprintf(url, sizeof url, "http://slow.test:%d/echo", server_port("plain"));
  start(&outcome, (beam_http_options){.url = url});
  run_for(300); /* no step waits for the answer, which has no end here */
  CHECK_INT(outcome.dones, 0);
  slow_is_held = 0;
  CHECK(run_until(&outcome.dones, 1, PATIENCE_MS));
  CHECK_INT(outcome.status, 200);
  finish(&outcome);
  outcome = call((beam_http_options){.url = "http://nowhere.test/"});
  CHECK_INT(outcome.error.code, BEAM_EDNS);
  CHECK_INT(outcome.error.phase, BEAM_PHASE_DNS);
  CHECK_CONTAINS(outcome.error.message, "nowhere.test:80");
  snprintf(url, sizeof url, "http://slow.test:%d/echo", server_port("plain") + 1); /* another port: not in the cache */
  slow_is_held = 1;
  outcome = call((beam_http_options){.url = url, .connect_timeout_ms = 200});
  slow_is_held = 0;
  CHECK_INT(outcome.error.code, BEAM_ETIMEOUT);
  CHECK_INT(outcome.error.phase, BEAM_PHASE_DNS);
}

/* ---- The pool ---- */

static void test_kept_connections(void) {
  int before = count_of("connections"), i;
  for (i = 0; i < 20; i++) {
    struct outcome outcome = get(plain("/echo"));
    CHECK_INT(outcome.status, 200);
    free(outcome.body);
  }
  CHECK_INT(count_of("connections"), before);
}

static void many_at_once(int count, const char *url) {
  struct outcome *outcomes = calloc((size_t)count, sizeof *outcomes);
  int i;
  for (i = 0; i < count; i++)
    start(&outcomes[i], (beam_http_options){.url = url, .body = "{}", .body_len = 2});
  for (i = 0; i < count; i++) {
    CHECK(run_until(&outcomes[i].dones, 1, PATIENCE_MS));
    CHECK_INT(outcomes[i].status, 200);
    finish(&outcomes[i]);
  }
  free(outcomes);
}

static void test_many_in_flight(void) {
  int before;
  many_at_once(64, plain("/slow?s=1.5")); /* slow enough for each to need a connection of its own */
  before = count_of("connections");
  many_at_once(64, plain("/slow?s=1.5"));
  CHECK_INT(count_of("connections"), before);
  many_at_once(300, plain("/slow?s=0.05")); /* more than run at a time */
  CHECK(count_of("connections") - before <= 256);
}

/* Those that wait for their turn have not begun to connect: only the deadline of the whole runs. */
static void test_waiting_is_not_connecting(void) {
  static struct outcome outcomes[257];
  int i;
  for (i = 0; i < 256; i++)
    start(&outcomes[i], (beam_http_options){.url = plain("/slow?s=3")});
  start(&outcomes[256], (beam_http_options){.url = plain("/echo"), .connect_timeout_ms = 1500});
  CHECK(run_until(&outcomes[256].dones, 1, PATIENCE_MS));
  CHECK_INT(outcomes[256].error.code, 0);
  CHECK_INT(outcomes[256].status, 200);
  for (i = 0; i < 257; i++)
    finish(&outcomes[i]);
}

/* Its end makes the socket readable for good: nobody may wake for that but once. */
static void test_a_kept_connection_is_closed(void) {
  beam_ctx *outer = ctx;
  struct outcome outcome;
  int steps = 0, round;
  CHECK_INT(beam_new(&ctx, NULL), 0);
  for (round = 0; round < 2; round++) {
    uint64_t end;
    outcome = get(plain("/leave"));
    CHECK_INT(outcome.error.code, 0);
    CHECK_INT(outcome.status, 200);
    free(outcome.body);
    for (end = clock_ms() + 120; clock_ms() < end; steps++)
      beam_step(ctx, 20);
  }
  CHECK(steps < 40);
  beam_close(ctx);
  ctx = outer;
}

/* The server answers the first request of a connection and dies with the second in its hands: it counts both. */
static int sent_how_often(const char *method, const char *body, struct outcome *second) {
  beam_http_options options = {
      .url = plain("/fresh-only"), .method = method, .body = body, .body_len = body ? strlen(body) : 0};
  int counted = count_of("/fresh-only");
  beam_ctx *outer = ctx; /* whose pool must not be mixed in */
  struct outcome first;
  CHECK_INT(beam_new(&ctx, NULL), 0);
  first = call(options);
  CHECK_INT(first.status, 200);
  free(first.body);
  *second = call(options);
  beam_close(ctx);
  ctx = outer;
  return count_of("/fresh-only") - counted - 1;
}

static void check_sent_once(const char *method, const char *body) {
  struct outcome second;
  CHECK_INT(sent_how_often(method, body, &second), 1);
  CHECK_INT(second.error.code, BEAM_EHTTP);
  CHECK_INT(second.error.phase, BEAM_PHASE_REQUEST);
  CHECK_INT(second.error.sent, 1);
  CHECK_INT(second.error.status, 0);
  CHECK_CONTAINS(second.error.message, "not sent again");
}

static void test_nothing_is_sent_twice(void) {
  check_sent_once("POST", "{\"x\":12}");
  check_sent_once("POST", NULL);
  check_sent_once("PUT", "{}");
  check_sent_once("DELETE", NULL);
  check_sent_once("GET", NULL); /* a handler runs for it, too */
}

/* ---- Nothing leaks ---- */

static size_t heap(void) { return mallinfo2().uordblks; }

static void cycle(void) {
  struct outcome outcome;
  CHECK_INT(beam_new(&ctx, NULL), 0);
  outcome = call((beam_http_options){.url = plain("/status/200"), .body = "{}", .body_len = 2});
  CHECK_INT(outcome.status, 200);
  free(outcome.body);
  beam_close(ctx);
}

static void test_a_thousand_cycles(void) {
  beam_ctx *before = ctx;
  int i, files;
  size_t bytes;
  for (i = 0; i < 20; i++)
    cycle();
  files = open_files();
  bytes = heap();
  for (i = 0; i < 1000 && !test_case_failures; i++)
    cycle();
  CHECK(open_files() <= files);  /* fewer: a look-up that was given up has ended */
  CHECK(heap() <= bytes + 4096); /* 0 under AddressSanitizer, whose leak check counts instead */
  ctx = before;
}

int main(void) {
  server_start();
  if (beam_new(&ctx, NULL))
    return 1;
  RUN(test_stream);
  RUN(test_pause_holds_the_sender_back);
  RUN(test_pause_within_a_decoded_chunk);
  RUN(test_timeout_while_paused);
  RUN(test_cancel_in_every_phase);
  RUN(test_cancel_in_a_callback);
  RUN(test_cancel_while_paused);
  RUN(test_close_with_all_in_flight);
  RUN(test_names);
  RUN(test_kept_connections);
  RUN(test_a_kept_connection_is_closed);
  RUN(test_many_in_flight);
  RUN(test_waiting_is_not_connecting);
  RUN(test_nothing_is_sent_twice);
  RUN(test_a_thousand_cycles);
  usleep(1600000); /* look-ups that were given up end in their own time, and free what is theirs */
  beam_close(ctx);
  server_stop();
  return test_end();
}
