/* Messages received a second.   usage: ws_receive PORT SIZE COUNT   prints messages a second and MB a second */
#include "beam.h"
#include "measure.h"

static long received;
static int failed;
static double started;

static void on_event(void *user, beam_ws *ws, const beam_ws_event *event) {
  (void)user, (void)ws;
  if (event->type == BEAM_WS_OPEN)
    started = now();
  received += event->type == BEAM_WS_MESSAGE;
  failed |= event->type == BEAM_WS_CLOSED;
}

int main(int argc, char **argv) {
  char url[128];
  long size = argc > 2 ? atol(argv[2]) : 64, count = argc > 3 ? atol(argv[3]) : 100000;
  beam_ctx *ctx;
  beam_ws *ws;
  beam_ws_options options = {.url = url, .on_event = on_event};
  snprintf(url, sizeof url, "ws://127.0.0.1:%s/flood/%ld/%ld", argv[1], size, count);
  if (beam_new(&ctx, NULL) || beam_ws_open(ctx, &ws, &options, NULL))
    return 1;
  while (received < count && !failed)
    beam_step(ctx, -1);
  double elapsed = now() - started;
  beam_close(ctx);
  printf("%.0f messages/s  %.0f MB/s\n", (double)count / elapsed, (double)(count * size) / elapsed / 1e6);
  return failed;
}
