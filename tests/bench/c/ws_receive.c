/* Messages received through libbeam, from URL/SIZE/COUNT of the peer.   usage: ws_receive URL SIZE COUNT [CA] */
#include "beam.h"
#include "measure.h"

static long received;
static int failed;
static double started, started_cpu;

static void on_event(void *user, beam_ws *ws, const beam_ws_event *event) {
  (void)user, (void)ws;
  if (event->type == BEAM_WS_OPEN) {
    started = now();
    started_cpu = cpu_time();
  }
  received += event->type == BEAM_WS_MESSAGE;
  failed |= event->type == BEAM_WS_CLOSED;
}

int main(int argc, char **argv) {
  char url[160];
  beam_ctx *ctx;
  beam_ws *ws;
  beam_ws_options options = {.url = url, .on_event = on_event, .tls.ca_file = argc > 4 ? argv[4] : NULL};
  if (argc < 4)
    return 2;
  long count = atol(argv[3]);
  snprintf(url, sizeof url, "%s/%s/%ld", argv[1], argv[2], count);
  if (beam_new(&ctx, NULL) || beam_ws_open(ctx, &ws, &options, NULL))
    return 1;
  while (received < count && !failed)
    beam_step(ctx, -1);
  print_since(count, started, started_cpu);
  beam_close(ctx);
  return failed;
}
