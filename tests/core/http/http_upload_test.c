/* Uploads: bodies pushed in pieces, both framings, with back-pressure; early answers, ends and cancels at every moment.
 */
#include <zlib.h>

#include "http_fixture.h"

enum { PIECE = 64 * 1024, QUEUE = 4 * PIECE };

static char pattern[2 * PIECE]; /* what is sent repeats it */

static const char *upload_url(const char *path) { return url_of("http", "127.0.0.1", "upload", path); }

static int count_at_server(const char *name) {
  char path[64];
  struct outcome outcome;
  int count;
  snprintf(path, sizeof path, "/count?of=%s", name);
  outcome = get(upload_url(path));
  count = outcome.body ? atoi(outcome.body) : -1;
  free(outcome.body);
  return count;
}

/* ---- One that feeds ---- */

struct feeder {
  struct outcome outcome;
  size_t size, written;
  unsigned long check;     /* of what came back */
  int drained, stop, most; /* most: bytes that ever waited */
  int free_when_drained, pause_at_data, paused;
};

static void feed(struct feeder *feeder) {
  beam_http *http = feeder->outcome.http;
  while (feeder->written < feeder->size && beam_http_pending(http) < QUEUE && !feeder->stop) {
    size_t left = feeder->size - feeder->written, len = left < PIECE ? left : PIECE;
    if (beam_http_write(http, pattern + feeder->written % PIECE, len)) {
      feeder->stop = 1;
      return;
    }
    feeder->written += len;
    if ((int)beam_http_pending(http) > feeder->most)
      feeder->most = (int)beam_http_pending(http);
  }
  if (feeder->written == feeder->size && !feeder->stop) {
    beam_http_write_end(http);
    feeder->stop = 1;
  }
}

static void on_feeder(void *user, beam_http *http, const beam_http_event *event) {
  struct feeder *feeder = user;
  if (event->type == BEAM_HTTP_DRAINED) {
    feeder->drained++;
    if (feeder->free_when_drained)
      beam_http_free(http);
    else
      feed(feeder);
    return;
  }
  if (event->type == BEAM_HTTP_DATA && event->len) {
    feeder->check = crc32(feeder->check, (const unsigned char *)event->data, (unsigned)event->len);
    if (feeder->outcome.len < 1000 && event->len < 1000)
      outcome_add(&feeder->outcome, event->data, event->len);
    else
      feeder->outcome.len += event->len;
    feeder->outcome.pieces++;
    if (feeder->pause_at_data) {
      feeder->paused = 1;
      beam_http_pause(http);
    }
    return;
  }
  outcome_take(&feeder->outcome, http, event);
}

static unsigned long check_of(size_t size) {
  unsigned long check = 0;
  size_t at, len;
  for (at = 0; at < size; at += len) {
    len = size - at < PIECE ? size - at : PIECE;
    check = crc32(check, (const unsigned char *)pattern + at % PIECE, (unsigned)len);
  }
  return check;
}

static void open_feeder(struct feeder *feeder, beam_http_options options, size_t size) {
  memset(feeder, 0, sizeof *feeder);
  feeder->size = size;
  options.upload = 1;
  options.on_event = on_feeder;
  options.user = feeder;
  CHECK_INT(beam_http_start(ctx, &feeder->outcome.http, &options, &feeder->outcome.error), 0);
}

static void close_feeder(struct feeder *feeder) {
  beam_http_free(feeder->outcome.http);
  free(feeder->outcome.body);
}

/* Feeds it to its end; the body of the answer stays for the caller to look at until close_feeder. */
static void run_feeder(struct feeder *feeder, beam_http_options options, size_t size) {
  open_feeder(feeder, options, size);
  feed(feeder);
  CHECK(run_until(&feeder->outcome.dones, 1, PATIENCE_MS));
  beam_step(ctx, 0);
  CHECK_INT(feeder->outcome.dones, 1);
}

static void check_taken(const struct feeder *feeder, size_t size, int chunked) {
  char text[64];
  CHECK_INT(feeder->outcome.error.code, 0);
  CHECK_INT(feeder->outcome.status, 200);
  snprintf(text, sizeof text, "\"length\": %zu,", size);
  CHECK_CONTAINS(feeder->outcome.body, text);
  snprintf(text, sizeof text, "\"crc\": %lu,", check_of(size));
  CHECK_CONTAINS(feeder->outcome.body, text);
  CHECK_CONTAINS(feeder->outcome.body, chunked ? "\"chunked\": true" : "\"chunked\": false");
}

/* ---- Whole bodies ---- */

static void check_whole(const char *url, beam_tls tls, size_t size) {
  struct feeder feeder;
  run_feeder(&feeder, (beam_http_options){.url = url, .tls = tls}, size);
  check_taken(&feeder, size, 1);
  close_feeder(&feeder);
  run_feeder(&feeder, (beam_http_options){.url = url, .tls = tls, .body_size = size}, size);
  check_taken(&feeder, size, 0);
  CHECK_CONTAINS(feeder.outcome.body, "\"method\": \"POST\"");
  CHECK_CONTAINS(feeder.outcome.body, "\"content-type\": \"application/json\"");
  CHECK(!strstr(feeder.outcome.body, "expect")); /* curl would wait a second for an answer to it */
  close_feeder(&feeder);
}

static void test_whole(void) {
  check_whole(upload_url("/take"), (beam_tls){0}, 1);
  check_whole(upload_url("/take"), (beam_tls){0}, 5000);
  check_whole(upload_url("/take"), (beam_tls){0}, (1 << 20) + 17);
}

static const char *ca_file(void) {
  static char path[512];
  snprintf(path, sizeof path, "%s/ca.pem", server_text("folder"));
  return path;
}

static void test_tls(void) {
  check_whole(url_of("https", "localhost", "upload_tls", "/take"), (beam_tls){.ca_file = ca_file()}, 3 << 20);
}

/* nginx, which speaks HTTP/2 to those who ask; it closes the connection after an early answer. */
static void test_nginx(void) {
  beam_tls tls = {.ca_file = ca_file()};
  struct feeder feeder;
  int requests = count_at_server("/take");
  check_whole(url_of("https", "localhost", "h2", "/take"), tls, 3 << 20);
  CHECK_INT(count_at_server("/take"), requests + 2);
  run_feeder(&feeder, (beam_http_options){.url = url_of("https", "localhost", "h2", "/limited"), .tls = tls}, 3 << 20);
  CHECK_INT(feeder.outcome.error.code, 0);
  CHECK_INT(feeder.outcome.status, 413);
  CHECK_CONTAINS(feeder.outcome.body, "Too Large");
  close_feeder(&feeder);
}

static void test_small_pieces(void) {
  struct feeder feeder;
  beam_http_options options = {.url = upload_url("/take"), .method = "PUT", .body_size = 3000};
  int i;
  open_feeder(&feeder, options, 0);
  for (i = 0; i < 1000; i++)
    CHECK_INT(beam_http_write(feeder.outcome.http, pattern + i, 1), 0);
  CHECK_INT(beam_http_pending(feeder.outcome.http), 1000);
  CHECK(run_until(&feeder.drained, 1, PATIENCE_MS));
  for (; i < 3000; i++) {
    CHECK_INT(beam_http_write(feeder.outcome.http, pattern + i, 1), 0);
    CHECK_INT(beam_http_write(feeder.outcome.http, NULL, 0), 0);
    if (i % 10 == 0)
      beam_step(ctx, 0);
  }
  CHECK(run_until(&feeder.outcome.dones, 1, PATIENCE_MS));
  check_taken(&feeder, 3000, 0);
  CHECK_CONTAINS(feeder.outcome.body, "\"method\": \"PUT\"");
  close_feeder(&feeder);
}

static void test_nothing(void) {
  struct feeder feeder;
  run_feeder(&feeder, (beam_http_options){.url = upload_url("/take")}, 0);
  check_taken(&feeder, 0, 1);
  close_feeder(&feeder);
}

/* ---- Mistakes ---- */

static void test_length(void) {
  struct feeder feeder;
  open_feeder(&feeder, (beam_http_options){.url = upload_url("/take"), .body_size = 10}, 0);
  CHECK_INT(beam_http_write(feeder.outcome.http, pattern, 11), BEAM_EINVALID);
  CHECK_INT(beam_http_pending(feeder.outcome.http), 0);
  CHECK_INT(beam_http_write(feeder.outcome.http, pattern, 4), 0);
  CHECK_INT(beam_http_write_end(feeder.outcome.http), BEAM_EINVALID);
  CHECK_INT(beam_http_write(feeder.outcome.http, pattern + 4, 7), BEAM_EINVALID);
  CHECK_INT(beam_http_write(feeder.outcome.http, pattern + 4, 6), 0);
  CHECK_INT(beam_http_write_end(feeder.outcome.http), 0);
  CHECK_INT(beam_http_write_end(feeder.outcome.http), 0);
  CHECK_INT(beam_http_write(feeder.outcome.http, pattern, 1), BEAM_ECLOSED);
  CHECK(run_until(&feeder.outcome.dones, 1, PATIENCE_MS));
  check_taken(&feeder, 10, 0);
  CHECK_INT(beam_http_write_end(feeder.outcome.http), BEAM_ECLOSED);
  close_feeder(&feeder);
}

static void test_mistakes(void) {
  struct feeder feeder;
  struct outcome outcome = {0};
  beam_http_options options = {.url = plain("/silent"), .on_event = outcome_take, .user = &outcome};
  beam_http *http;
  CHECK_INT(beam_http_start(ctx, &http, &options, NULL), 0);
  CHECK_INT(beam_http_write(http, "x", 1), BEAM_EINVALID);
  CHECK_INT(beam_http_write_end(http), BEAM_EINVALID);
  CHECK_INT(beam_http_pending(http), 0);
  beam_http_free(http);
  options.upload = 1;
  options.method = "HEAD";
  CHECK_INT(beam_http_start(ctx, &http, &options, NULL), BEAM_EINVALID);
  options.method = NULL;
  options.body = "{}";
  options.body_len = 2;
  CHECK_INT(beam_http_start(ctx, &http, &options, NULL), BEAM_EINVALID);
  options.body = NULL;
  options.body_size = UINT64_MAX;
  CHECK_INT(beam_http_start(ctx, &http, &options, NULL), BEAM_EINVALID);
  open_feeder(&feeder, (beam_http_options){.url = upload_url("/take")}, 0);
  CHECK_INT(beam_http_write_end(feeder.outcome.http), 0);
  CHECK_INT(beam_http_write(feeder.outcome.http, "x", 1), BEAM_ECLOSED);
  close_feeder(&feeder);
}

/* ---- Back-pressure ---- */

/* Until nothing moves: how long that takes is the machine's to say. */
static void settle(const struct feeder *feeder) {
  uint64_t end = clock_ms() + 20000;
  size_t written, came;
  do {
    written = feeder->written, came = feeder->outcome.len;
    run_for(300);
  } while ((feeder->written != written || feeder->outcome.len != came) && clock_ms() < end);
}

static void test_slow_server(void) {
  struct feeder feeder;
  struct outcome outcome;
  size_t size = 24 << 20, stuck;
  open_feeder(&feeder, (beam_http_options){.url = upload_url("/hold"), .body_size = size}, size);
  feed(&feeder);
  settle(&feeder);
  stuck = feeder.written;
  CHECK(stuck > 0 && stuck < 16 << 20); /* what the two sockets and our queue hold */
  CHECK(feeder.most <= QUEUE + PIECE);
  run_for(200);
  CHECK_INT(feeder.written, stuck);
  outcome = get(upload_url("/release"));
  free(outcome.body);
  CHECK(run_until(&feeder.outcome.dones, 1, PATIENCE_MS));
  check_taken(&feeder, size, 0);
  CHECK(feeder.most <= QUEUE + PIECE);
  close_feeder(&feeder);
}

/* What is sent comes back while it is sent. While the reader pauses, the echo and so the sending stop; while the feeder
 * has nothing, reading goes on. */
static void test_both_directions(void) {
  struct feeder feeder;
  size_t size = 24 << 20, stuck, came;
  open_feeder(&feeder, (beam_http_options){.url = upload_url("/echo"), .stream = 1}, size);
  feeder.pause_at_data = 1;
  feed(&feeder);
  CHECK(run_until(&feeder.paused, 1, PATIENCE_MS));
  settle(&feeder);
  stuck = feeder.written, came = feeder.outcome.len;
  CHECK(stuck < size && feeder.outcome.pieces == 1);
  run_for(100);
  CHECK_INT(feeder.written, stuck);
  CHECK_INT(feeder.outcome.len, came);
  feeder.pause_at_data = 0;
  feeder.stop = 1; /* nothing to send for a while */
  beam_http_resume(feeder.outcome.http);
  settle(&feeder);
  CHECK_INT(feeder.outcome.len, feeder.written);
  feeder.stop = 0;
  feed(&feeder);
  CHECK(run_until(&feeder.outcome.dones, 1, PATIENCE_MS));
  CHECK_INT(feeder.outcome.error.code, 0);
  CHECK_INT(feeder.outcome.len, size);
  CHECK(feeder.check == check_of(size));
  close_feeder(&feeder);
}

static void test_timeout(void) {
  struct feeder feeder;
  open_feeder(&feeder, (beam_http_options){.url = upload_url("/take"), .timeout_ms = 300}, 0);
  feeder.stop = 1;
  CHECK_INT(beam_http_write(feeder.outcome.http, "x", 1), 0);
  CHECK(run_until(&feeder.outcome.dones, 1, PATIENCE_MS));
  CHECK_INT(feeder.outcome.error.code, BEAM_ETIMEOUT);
  CHECK_INT(feeder.outcome.error.sent, 1);
  CHECK_INT(beam_http_write(feeder.outcome.http, "x", 1), BEAM_ECLOSED);
  close_feeder(&feeder);
}

/* ---- Early answers ---- */

static void check_early(const char *path, const beam_http_options *more, size_t size, int idle) {
  struct feeder feeder;
  beam_http_options options = *more;
  options.url = options.url ? options.url : upload_url(path);
  open_feeder(&feeder, options, size);
  feeder.stop = idle;
  if (idle) /* some bytes, and then nothing */
    CHECK_INT(beam_http_write(feeder.outcome.http, pattern, 1000), 0);
  else
    feed(&feeder);
  CHECK(run_until(&feeder.outcome.dones, 1, PATIENCE_MS));
  CHECK_INT(feeder.outcome.error.code, 0);
  CHECK_INT(feeder.outcome.status, 401);
  CHECK_STR(feeder.outcome.body, "{\"message\":\"Unauthorized\"}");
  CHECK_INT(beam_http_write(feeder.outcome.http, pattern, 1), BEAM_ECLOSED);
  CHECK_INT(beam_http_write_end(feeder.outcome.http), BEAM_ECLOSED);
  if (test_case_failures)
    printf("# %s, %s%s: %s\n", path, options.body_size ? "length" : "chunked", idle ? ", idle" : "",
           feeder.outcome.error.message);
  close_feeder(&feeder);
}

static void test_early_answer(void) {
  static const char *const paths[] = {"/early?status=401",
                                      "/early?status=401&close",
                                      "/early?status=401&linger",
                                      "/early?status=401&close&linger",
                                      "/early?status=401&close&linger&late",
                                      "/early?status=401&linger&late",
                                      "/early?status=401&unsized&linger&close&late",
                                      "/early?status=401&unsized&linger&close",
                                      "/early?status=401&unsized"};
  size_t i, size = 32 << 20;
  for (i = 0; i < sizeof paths / sizeof *paths && !test_case_failures; i++) {
    check_early(paths[i], &(beam_http_options){0}, size, 1);
    check_early(paths[i], &(beam_http_options){.body_size = size}, size, 1);
    check_early(paths[i], &(beam_http_options){.stream = 1}, size, 1);
    if (!strstr(paths[i], "linger"))
      continue;
    check_early(paths[i], &(beam_http_options){0}, size, 0);
    check_early(paths[i], &(beam_http_options){.body_size = size}, size, 0);
  }
}

/* A call whose body is still on its way when the server, which has answered, is gone: the whole answer counts. */
static void test_early_answer_to_a_call(void) {
  static const char *const paths[] = {"/early?status=200&reset", "/early?status=401&reset"};
  size_t i, size = 32 << 20;
  char *body = calloc(1, size);
  for (i = 0; i < sizeof paths / sizeof *paths; i++) {
    struct outcome outcome = call((beam_http_options){.url = upload_url(paths[i]), .body = body, .body_len = size});
    CHECK_STR(outcome.error.message, "");
    CHECK_INT(outcome.status, i ? 401 : 200);
    CHECK_STR(outcome.body, "{\"message\":\"Unauthorized\"}");
    free(outcome.body);
  }
  free(body);
}

/* The server answers and goes away with our bytes unread, so that its answer and a reset come at the same time:
 * whichever curl finds first is told. */
static int end_of(const char *url, size_t body_size) {
  struct feeder feeder;
  int answered;
  run_feeder(&feeder, (beam_http_options){.url = url, .tls = {.ca_file = ca_file()}, .body_size = body_size}, 32 << 20);
  answered = feeder.outcome.error.code == 0;
  CHECK(feeder.outcome.status == 401 || (!answered && feeder.outcome.status == 0)); /* its head may have come */
  if (answered)
    CHECK_STR(feeder.outcome.body, "{\"message\":\"Unauthorized\"}");
  else
    CHECK_INT(feeder.outcome.error.code, BEAM_EHTTP);
  CHECK_INT(feeder.outcome.error.sent, !answered);
  close_feeder(&feeder);
  return answered;
}

static void test_early_answer_and_reset(void) {
  int requests = count_at_server("/early"), answered = 0, i;
  for (i = 0; i < 30; i++) {
    char path[80];
    snprintf(path, sizeof path, "/early?status=401&close&after=%d", i % 4 * 100000);
    answered += end_of(upload_url(path), 0);
    answered += end_of(upload_url(path), 32 << 20);
    answered += end_of(url_of("https", "localhost", "upload_tls", path), 32 << 20);
  }
  CHECK_INT(count_at_server("/early"), requests + 90); /* none was sent again */
  CHECK(answered > 0);
  printf("# %d of 90 were told the answer\n", answered);
}

/* ---- Ends ---- */

static void test_reset(void) {
  struct feeder feeder;
  struct outcome outcome;
  int requests = count_at_server("/reset"); /* which also leaves a connection to be used again */
  run_feeder(&feeder, (beam_http_options){.url = upload_url("/reset")}, 32 << 20);
  CHECK_INT(feeder.outcome.error.code, BEAM_EHTTP);
  CHECK_INT(feeder.outcome.error.sent, 1);
  CHECK_INT(feeder.outcome.status, 0);
  close_feeder(&feeder);
  outcome = get(upload_url("/count?of=/reset"));
  CHECK_INT(atoi(outcome.body), requests + 1); /* once */
  free(outcome.body);
}

static void test_cancel(void) {
  static const int moments[] = {0, 1, 30, 200};
  struct feeder feeder;
  size_t i;
  for (i = 0; i < sizeof moments / sizeof *moments; i++) {
    open_feeder(&feeder, (beam_http_options){.url = upload_url("/hold")}, 32 << 20);
    feed(&feeder);
    run_for(moments[i]);
    CHECK_INT(feeder.outcome.dones, 0);
    CHECK_INT(beam_http_write(feeder.outcome.http, "x", 1), 0); /* its task is queued, and must go with it */
    beam_http_free(feeder.outcome.http);
    run_for(20);
    CHECK_INT(feeder.outcome.dones, 0);
  }
  open_feeder(&feeder, (beam_http_options){.url = upload_url("/take")}, 32 << 20);
  feeder.free_when_drained = 1;
  feed(&feeder);
  CHECK(run_until(&feeder.drained, 1, PATIENCE_MS));
  run_for(50);
  CHECK_INT(feeder.drained, 1);
  CHECK_INT(feeder.outcome.dones, 0);
  feeder.outcome = get(upload_url("/release"));
  free(feeder.outcome.body);
}

static void test_close_with_an_upload(void) {
  beam_ctx *before = ctx;
  struct feeder feeder;
  CHECK_INT(beam_new(&ctx, NULL), 0);
  open_feeder(&feeder, (beam_http_options){.url = upload_url("/take")}, 32 << 20);
  feed(&feeder);
  run_for(30);
  beam_close(ctx);
  ctx = before;
}

/* The queue stays as small as what waits, however much goes through it. */
static void test_many_bytes_small_queue(void) {
  struct feeder feeder;
  size_t size = 64 << 20;
  run_feeder(&feeder, (beam_http_options){.url = upload_url("/take"), .body_size = size}, size);
  check_taken(&feeder, size, 0);
  CHECK(feeder.most <= QUEUE + PIECE);
  close_feeder(&feeder);
}

int main(void) {
  size_t i;
  for (i = 0; i < sizeof pattern; i++)
    pattern[i] = (char)(i % PIECE * 31 / 7);
  server_start();
  if (beam_new(&ctx, NULL))
    return 1;
  RUN(test_whole);
  RUN(test_tls);
  RUN(test_nginx);
  RUN(test_small_pieces);
  RUN(test_nothing);
  RUN(test_length);
  RUN(test_mistakes);
  RUN(test_slow_server);
  RUN(test_both_directions);
  RUN(test_timeout);
  RUN(test_early_answer);
  RUN(test_early_answer_to_a_call);
  RUN(test_early_answer_and_reset);
  RUN(test_reset);
  RUN(test_cancel);
  RUN(test_close_with_an_upload);
  RUN(test_many_bytes_small_queue);
  beam_close(ctx);
  server_stop();
  return test_end();
}
