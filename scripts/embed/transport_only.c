/* libbeam alone, without Lua: sends one message to a realtime app, prints the answer, closes.
 *
 *   cc transport_only.c $(pkg-config --cflags --libs beam) -o transport_only
 *   BEAM_TOKEN=… ./transport_only wss://app.beam.cloud/asgi/echo '{"event":"Echo this back"}' */
#include <beam.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct talk {
  const char *message;
  int is_over, status;
};

static void on_event(void *user, beam_ws *ws, const beam_ws_event *event) {
  struct talk *talk = user;
  switch (event->type) {
  case BEAM_WS_PHASE:
    fprintf(stderr, "%s\n", beam_phase_name(event->phase));
    break;
  case BEAM_WS_OPEN:
    beam_ws_send_text(ws, talk->message, strlen(talk->message));
    break;
  case BEAM_WS_MESSAGE:
    if (event->len == 15 && !memcmp(event->data, "{\"type\":\"ping\"}", 15)) /* Beam's own, between messages */
      break;
    printf("%.*s\n", (int)event->len, event->data);
    beam_ws_close(ws, 1000, NULL);
    break;
  case BEAM_WS_CLOSED:
    if (event->error)
      fprintf(stderr, "transport_only: %s\n", event->error->message);
    talk->status = event->error || event->code != 1000;
    talk->is_over = 1;
    break;
  default:
    break;
  }
}

int main(int argc, char **argv) {
  struct talk talk = {.message = argc > 2 ? argv[2] : "{\"event\":\"hello\"}"};
  const char *token = getenv("BEAM_TOKEN");
  beam_ws_options options = {.url = argc > 1 ? argv[1] : "", .on_event = on_event, .user = &talk};
  beam_ctx *ctx;
  beam_ws *ws;
  beam_error error;
  if (argc < 2) {
    fprintf(stderr, "usage: transport_only URL [MESSAGE]\n");
    return 2;
  }
  options.auth.scheme = token ? BEAM_AUTH_BEARER : BEAM_AUTH_NONE;
  options.auth.secret = token;
  if (beam_new(&ctx, NULL))
    return 1;
  if (beam_ws_open(ctx, &ws, &options, &error)) {
    fprintf(stderr, "transport_only: %s\n", error.message);
    beam_close(ctx);
    return 1;
  }
  while (!talk.is_over)
    beam_step(ctx, -1);
  beam_ws_free(ws);
  beam_close(ctx);
  return talk.status;
}
