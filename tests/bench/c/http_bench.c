/* The same calls as others/http_reference.c through beam_http.   usage: http_bench URL IN_FLIGHT COUNT [CA] */
#include <string.h>

#include "beam.h"
#include "measure.h"

static const char body[] = "{\"x\": 12, \"text\": \"sixty-four bytes of JSON for a call or two..\"}";

struct run {
  beam_ctx *ctx;
  const char *url, *ca_file;
  long started, done, count;
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
  options.tls.ca_file = run->ca_file;
  run->started++;
  if (beam_http_start(run->ctx, &http, &options, &error)) {
    fprintf(stderr, "http_bench: %s\n", error.message);
    exit(1);
  }
}

static void call(struct run *run, long in_flight, long count) {
  run->started = run->done = 0;
  run->count = count;
  while (run->started < in_flight && run->started < count)
    start_one(run);
  while (run->done < count)
    beam_step(run->ctx, 1000);
}

int main(int argc, char **argv) {
  struct run run = {0};
  if (argc < 4 || beam_new(&run.ctx, NULL))
    return 2;
  run.url = argv[1];
  run.ca_file = argv[4];
  call(&run, atol(argv[2]), atol(argv[2]) * 4);
  double started = now(), started_cpu = cpu_time();
  call(&run, atol(argv[2]), atol(argv[3]));
  print_since(atol(argv[3]), started, started_cpu);
  beam_close(run.ctx);
  return 0;
}
