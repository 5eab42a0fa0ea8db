/* Connections one after the other, each of which hears one message: whether its TLS session was resumed.
 * usage: ws_reconnect URL COUNT CA           prints how many, the seconds they took and those of the processor
 *        ws_reconnect URL COUNT CA resumed   prints how many in a hundred were resumed */
#include "beam.h"
#include "measure.h"

static int heard, closed;
static long resumed;

static void on_event(void *user, beam_ws *ws, const beam_ws_event *event) {
  (void)user;
  if (event->type == BEAM_WS_MESSAGE) {
    heard++;
    resumed += event->data[0] == '1';
    beam_ws_close(ws, 1000, NULL);
  }
  closed |= event->type == BEAM_WS_CLOSED;
}

static void connect_once(beam_ctx *ctx, const beam_ws_options *options) {
  beam_ws *ws;
  closed = 0;
  if (beam_ws_open(ctx, &ws, options, NULL))
    exit(1);
  while (!closed)
    beam_step(ctx, -1);
  beam_ws_free(ws);
}

int main(int argc, char **argv) {
  beam_ctx *ctx;
  if (argc < 4 || beam_new(&ctx, NULL))
    return 2;
  beam_ws_options options = {.url = argv[1], .on_event = on_event, .tls.ca_file = argv[3]};
  long count = atol(argv[2]), i;
  connect_once(ctx, &options); /* the first has no session to resume */
  double started = now(), started_cpu = cpu_time();
  for (i = 0, resumed = 0; i < count; i++)
    connect_once(ctx, &options);
  if (argc > 4)
    printf("%.2f\n", 100.0 * (double)resumed / (double)count);
  else
    print_since(count, started, started_cpu);
  beam_close(ctx);
  return heard != count + 1;
}
