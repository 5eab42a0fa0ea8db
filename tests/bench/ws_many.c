/* What idle connections cost: heap for each, and CPU for a message on one of them.
 * usage: ws_many PORT CONNECTIONS   prints bytes a connection, and microseconds of CPU a message */
#include <sys/resource.h>

#include "beam.h"
#include "measure.h"

static long opened, failed, answered;

static void on_event(void *user, beam_ws *ws, const beam_ws_event *event) {
  (void)user, (void)ws;
  opened += event->type == BEAM_WS_OPEN;
  answered += event->type == BEAM_WS_MESSAGE;
  failed += event->type == BEAM_WS_CLOSED;
}

static beam_ws *open_one(beam_ctx *ctx, const char *url) {
  beam_ws *ws;
  beam_ws_options options = {.url = url, .on_event = on_event};
  if (beam_ws_open(ctx, &ws, &options, NULL))
    exit(1);
  return ws;
}

/* In groups, so that the peer's accept queue is never full. */
static void open_idle(beam_ctx *ctx, const char *url, long count) {
  for (long group = 0; group < count; group += 100) {
    for (long i = 0; i < 100; i++)
      open_one(ctx, url);
    while (opened < group + 101 && !failed)
      beam_step(ctx, -1);
  }
}

static double cpu_per_message(beam_ctx *ctx, beam_ws *ws, long rounds) {
  char message[64] = {0};
  double start = cpu_time();
  for (long i = 0; i < rounds; i++) {
    long before = answered;
    beam_ws_send_binary(ws, message, sizeof message);
    while (answered == before && !failed)
      beam_step(ctx, -1);
  }
  return (cpu_time() - start) / (double)rounds * 1e6;
}

int main(int argc, char **argv) {
  char echo[64], hold[64];
  long count = argc > 2 ? atol(argv[2]) : 1000;
  struct rlimit limit;
  beam_ctx *ctx;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  snprintf(echo, sizeof echo, "ws://127.0.0.1:%s/echo", argv[1]);
  snprintf(hold, sizeof hold, "ws://127.0.0.1:%s/hold", argv[1]);
  if (beam_new(&ctx, NULL))
    return 1;
  beam_ws *ws = open_one(ctx, echo);
  while (!opened && !failed)
    beam_step(ctx, -1);
  cpu_per_message(ctx, ws, 2000);
  double alone = cpu_per_message(ctx, ws, 5000);
  size_t heap = heap_bytes(), resident = resident_bytes();
  open_idle(ctx, hold, count);
  heap = heap_bytes() - heap;
  resident = resident_bytes() - resident;
  double among = cpu_per_message(ctx, ws, 5000);
  printf("%ld connections: %.0f bytes resident each (%.0f allocated); %.2f us CPU/message among them, %.2f alone\n",
         opened, (double)resident / (double)count, (double)heap / (double)count, among, alone);
  beam_close(ctx);
  return failed != 0;
}
