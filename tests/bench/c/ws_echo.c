/* Round trips of 64 bytes through libbeam.   usage: ws_echo URL ROUNDS [CA]   prints the median in microseconds */
#include "beam.h"
#include "measure.h"

static int is_open, answered, failed;

static void on_event(void *user, beam_ws *ws, const beam_ws_event *event) {
  (void)user, (void)ws;
  if (event->type == BEAM_WS_OPEN)
    is_open = 1;
  else if (event->type == BEAM_WS_MESSAGE)
    answered = 1;
  else if (event->type == BEAM_WS_CLOSED)
    failed = 1;
}

int main(int argc, char **argv) {
  size_t rounds = argc > 2 ? (size_t)atol(argv[2]) : 20000;
  double *times = calloc(rounds, sizeof *times);
  char message[64] = {0};
  beam_ctx *ctx;
  beam_ws *ws;
  beam_ws_options options = {.url = argv[1], .on_event = on_event, .tls.ca_file = argc > 3 ? argv[3] : NULL};
  if (beam_new(&ctx, NULL) || beam_ws_open(ctx, &ws, &options, NULL))
    return 1;
  while (!is_open && !failed)
    beam_step(ctx, -1);
  for (size_t i = 0; i < rounds && !failed; i++) {
    double start = now();
    answered = 0;
    beam_ws_send_binary(ws, message, sizeof message);
    while (!answered && !failed)
      beam_step(ctx, -1);
    times[i] = now() - start;
  }
  beam_close(ctx);
  if (!failed)
    printf("%.3f\n", percentile(times, rounds, 0.5) * 1e6);
  free(times);
  return failed;
}
