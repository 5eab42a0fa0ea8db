/* The same calls as http_reference.c through beam_http. usage: http_bench URL COUNT */
#include <string.h>

#include "beam.h"
#include "measure.h"

enum { IN_FLIGHT = 64 };

static const char body[] = "{\"x\": 12, \"text\": \"sixty-four bytes of JSON for a call or two..\"}";

struct run {
  beam_ctx *ctx;
  const char *url;
  unsigned started, done, count;
};

static void start_one(struct run *run);

static void on_event(void *user, beam_http *http, const beam_http_event *event) {
  struct run *run = user;
  if (event->error || event->status != 200) {
    fprintf(stderr, "http_bench: %s, status %d\n", event->error ? event->error->message : "", event->status);
    exit(1);
  }
  beam_http_free(http);
  run->done++;
  if (run->started < run->count)
    start_one(run);
}

static void start_one(struct run *run) {
  beam_http_options options = {.url = run->url, .body = body, .body_len = sizeof body - 1, .on_event = on_event};
  beam_error error;
  beam_http *http;
  options.user = run;
  options.tls.insecure = 1;
  run->started++;
  if (beam_http_start(run->ctx, &http, &options, &error)) {
    fprintf(stderr, "http_bench: %s\n", error.message);
    exit(1);
  }
}

/* Calls a second. */
static double measure(beam_ctx *ctx, const char *url, unsigned in_flight, unsigned count) {
  struct run run = {ctx, url, 0, 0, count};
  double start = now();
  while (run.started < in_flight && run.started < count)
    start_one(&run);
  while (run.done < count)
    beam_step(ctx, 1000);
  return count / (now() - start);
}

int main(int argc, char **argv) {
  unsigned count = argc > 2 ? (unsigned)atoi(argv[2]) : 20000;
  beam_ctx *ctx;
  if (argc < 2 || beam_new(&ctx, NULL))
    return 2;
  measure(ctx, argv[1], IN_FLIGHT, IN_FLIGHT * 4);
  printf("one by one %.0f/s", measure(ctx, argv[1], 1, count));
  printf(", %d in flight %.0f/s\n", IN_FLIGHT, measure(ctx, argv[1], IN_FLIGHT, count));
  beam_close(ctx);
  return 0;
}
