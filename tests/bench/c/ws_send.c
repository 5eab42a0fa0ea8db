/* Messages of 64 bytes sent through libbeam, until the peer has said that it read them all: to URL/COUNT of the peer.
 * usage: ws_send URL COUNT */
#include "beam.h"
#include "measure.h"

enum { PENDING_MAX = 1024 * 1024 };

static int is_open, answered, failed;

static void on_event(void *user, beam_ws *ws, const beam_ws_event *event) {
  (void)user, (void)ws;
  is_open |= event->type == BEAM_WS_OPEN;
  answered |= event->type == BEAM_WS_MESSAGE;
  failed |= event->type == BEAM_WS_CLOSED;
}

int main(int argc, char **argv) {
  char url[160], message[64] = {0};
  beam_ctx *ctx;
  beam_ws *ws;
  beam_ws_options options = {.url = url, .on_event = on_event};
  if (argc < 3)
    return 2;
  long count = atol(argv[2]);
  snprintf(url, sizeof url, "%s/%ld", argv[1], count);
  if (beam_new(&ctx, NULL) || beam_ws_open(ctx, &ws, &options, NULL))
    return 1;
  while (!is_open && !failed)
    beam_step(ctx, -1);
  double started = now(), started_cpu = cpu_time();
  for (long i = 0; i < count && !failed; i++) {
    beam_ws_send_binary(ws, message, sizeof message);
    while (beam_ws_pending(ws) > PENDING_MAX && !failed)
      beam_step(ctx, -1);
  }
  while (!answered && !failed)
    beam_step(ctx, -1);
  print_since(count, started, started_cpu);
  beam_close(ctx);
  return failed;
}
