/* What a step costs that has nothing to do, with one open connection.   usage: step_idle URL   prints nanoseconds */
#include "beam.h"
#include "measure.h"

static int is_open;

static void on_event(void *user, beam_ws *ws, const beam_ws_event *event) {
  (void)user, (void)ws;
  is_open |= event->type == BEAM_WS_OPEN;
}

int main(int argc, char **argv) {
  enum { STEPS = 1000000 };
  beam_ctx *ctx;
  beam_ws *ws;
  beam_ws_options options = {.url = argv[1], .on_event = on_event};
  if (argc < 2 || beam_new(&ctx, NULL) || beam_ws_open(ctx, &ws, &options, NULL))
    return 1;
  while (!is_open)
    beam_step(ctx, -1);
  beam_fd(ctx); /* as a host that waits on the descriptor has it */
  double start = now();
  for (int i = 0; i < STEPS; i++)
    beam_step(ctx, 0);
  printf("%.0f\n", (now() - start) / STEPS * 1e9);
  beam_close(ctx);
  return 0;
}
