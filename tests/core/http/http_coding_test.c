/* Content-Encoding as a list: every order, over lines, with what is no coding; padding; bombs that let others live. */
#include "http_fixture.h"

static char text[21001]; /* what the server sends, uncoded */

static const char *listed(const char *query) {
  static char path[300];
  snprintf(path, sizeof path, "/listed?%s", query);
  return plain(path);
}

static void check_read(const char *query) {
  struct outcome outcome = get(listed(query));
  CHECK_INT(outcome.error.code, 0);
  CHECK_STR(outcome.body, text);
  if (test_case_failures)
    printf("# of %s: %s\n", query, outcome.error.message);
  free(outcome.body);
}

static void check_refused(const char *query, const char *why) {
  struct outcome outcome = get(listed(query));
  CHECK_STR(beam_error_kind(outcome.error.code), "http");
  CHECK_STR(beam_phase_name(outcome.error.phase), "response");
  CHECK_INT(outcome.error.status, 200);
  CHECK_CONTAINS(outcome.error.message, why);
  free(outcome.body);
}

static void test_lists(void) {
  check_read("e=gzip,gzip");
  check_read("e=gzip,%20deflate");
  check_read("e=deflate,%09gzip");
  check_read("e=GZip,DEFLATE,x-gzip,gzip");
  check_read("e=,%20gzip,%20,gzip,");
}

static void test_lines(void) {
  check_read("e=gzip&e=gzip");
  check_read("e=deflate&e=gzip,deflate");
  check_read("e=identity&e=gzip");
  check_read("e=gzip&e=Identity");
}

static void test_what_is_no_coding(void) {
  check_read("e=none");
  check_read("e=utf-8");
  check_read("e=identity,%20gzip,%20binary");
  check_read("e=%20");
}

static void test_what_cannot_be_undone(void) {
  check_refused("e=br", "\"br\"");
  check_refused("e=gzip,%20zstd", "\"zstd\", which");
  check_refused("e=BR&e=gzip", "\"BR\"");
  check_refused("e=gzip,gzip,gzip,gzip,gzip", "more than 4 content codings");
}

static void test_padding(void) {
  check_read("e=gzip&outer=2");
  check_read("e=deflate&outer=40000");
  check_read("e=gzip,gzip&inner=100000&outer=1");
  check_refused("e=gzip&outer=2&end=x", "not valid gzip");
  check_refused("e=gzip&end=more", "not valid gzip");
}

static void test_what_breaks_off(void) {
  check_refused("e=gzip,gzip&cut=9", "middle of its compressed body");
  check_refused("e=gzip,deflate&cut=1", "middle of its compressed body");
}

/* ---- Bombs ---- */

struct meter {
  int done;
  size_t at_once, most; /* bytes in one step */
  beam_error error;
};

static void weigh(void *user, beam_http *http, const beam_http_event *event) {
  struct meter *meter = user;
  (void)http;
  meter->at_once += event->type == BEAM_HTTP_DATA ? event->len : 0;
  meter->done |= event->type == BEAM_HTTP_DONE;
  if (event->error)
    meter->error = *event->error;
}

/* Steps to the end; how many they were. */
static int step_through(const char *url, struct meter *meter) {
  beam_http_options options = {.url = url, .stream = 1, .on_event = weigh, .user = meter};
  uint64_t end = clock_ms() + 20000;
  beam_http *http;
  int steps;
  CHECK_INT(beam_http_start(ctx, &http, &options, &meter->error), 0);
  for (steps = 0; !meter->done && clock_ms() < end; steps++) {
    meter->at_once = 0;
    beam_step(ctx, 100);
    meter->most = meter->at_once > meter->most ? meter->at_once : meter->most;
  }
  CHECK(meter->done);
  CHECK_INT(meter->error.code, 0);
  beam_http_free(http);
  return steps;
}

static void test_a_bomb_is_taken_in_turns(void) {
  struct meter meter = {0};
  int steps = step_through(plain("/bomb?mib=64"), &meter);
  CHECK(steps > 30);
  CHECK(meter.most <= 4u << 20);
}

/* 64 MiB between two codings that come to nothing. */
static void test_a_bomb_within_is_taken_in_turns(void) {
  struct meter meter = {0};
  CHECK(step_through(listed("e=gzip,gzip&inner=67108864"), &meter) > 30);
}

int main(void) {
  size_t i;
  for (i = 0; i < 1000; i++)
    memcpy(text + 21 * i, "The quick brown fox. ", 21);
  server_start();
  if (beam_new(&ctx, NULL))
    return 1;
  RUN(test_lists);
  RUN(test_lines);
  RUN(test_what_is_no_coding);
  RUN(test_what_cannot_be_undone);
  RUN(test_padding);
  RUN(test_what_breaks_off);
  RUN(test_a_bomb_is_taken_in_turns);
  RUN(test_a_bomb_within_is_taken_in_turns);
  beam_close(ctx);
  server_stop();
  return test_end();
}
