/* What idle connections cost: memory for each, and the processor's time for a message on one of them.
 *   usage: ws_many memory BASE COUNT [CA]   prints the resident bytes of a connection
 *          ws_many among BASE COUNT [CA]    prints the times that a message takes among them what it takes alone
 */
#include <string.h>
#include <sys/resource.h>

#include "beam.h"
#include "measure.h"

static long opened, failed, answered;
static const char *ca_file;

static void on_event(void *user, beam_ws *ws, const beam_ws_event *event) {
  (void)user, (void)ws;
  opened += event->type == BEAM_WS_OPEN;
  answered += event->type == BEAM_WS_MESSAGE;
  failed += event->type == BEAM_WS_CLOSED;
}

static beam_ws *open_one(beam_ctx *ctx, const char *base, const char *path) {
  char url[160];
  beam_ws *ws;
  beam_ws_options options = {.url = url, .on_event = on_event, .tls.ca_file = ca_file};
  snprintf(url, sizeof url, "%s%s", base, path);
  if (beam_ws_open(ctx, &ws, &options, NULL))
    exit(1);
  return ws;
}

/* In groups, so that the peer's accept queue is never full. */
static void open_idle(beam_ctx *ctx, const char *base, long count) {
  for (long group = 0; group < count; group += 100) {
    long before = opened;
    for (long i = 0; i < 100; i++)
      open_one(ctx, base, "/hold");
    while (opened < before + 100 && !failed)
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
  return (cpu_time() - start) / (double)rounds;
}

static void print_memory(beam_ctx *ctx, const char *base, long count) {
  open_idle(ctx, base, 100); /* what is made once */
  size_t before = resident_bytes();
  open_idle(ctx, base, count);
  printf("%.0f\n", ((double)resident_bytes() - (double)before) / (double)count);
}

static void print_among(beam_ctx *ctx, const char *base, long count) {
  beam_ws *ws = open_one(ctx, base, "/echo");
  while (!opened && !failed)
    beam_step(ctx, -1);
  cpu_per_message(ctx, ws, 2000);
  double alone = cpu_per_message(ctx, ws, 5000);
  open_idle(ctx, base, count);
  printf("%.3f\n", cpu_per_message(ctx, ws, 5000) / alone);
}

int main(int argc, char **argv) {
  struct rlimit limit;
  beam_ctx *ctx;
  if (argc < 4 || beam_new(&ctx, NULL))
    return 2;
  ca_file = argv[4];
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (!strcmp(argv[1], "memory"))
    print_memory(ctx, argv[2], atol(argv[3]));
  else
    print_among(ctx, argv[2], atol(argv[3]));
  beam_close(ctx);
  return failed != 0;
}
