/* A game's loop with a connection script in it: sixty frames a second, the network in what is left of each.
 *
 *   cc frame_loop.c $(pkg-config --cflags --libs beamhost) -o frame_loop
 *   BEAM_TOKEN=… ./frame_loop connection.lua echo [FRAMES]
 *
 * SIGHUP lets the script's file take over as it is now, without a new connection. */
#include <beamhost.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static volatile sig_atomic_t reload_wanted;
static int is_over;

static void on_hangup(int signal_number) { reload_wanted = signal_number; }

static void on_event(void *user, beam_host *host, const beam_host_event *event) {
  (void)user, (void)host;
  switch (event->type) {
  case BEAM_HOST_PHASE:
    printf("phase    %s%s%s\n", event->phase, event->error ? ": " : "", event->error ? event->error->message : "");
    break;
  case BEAM_HOST_OPEN:
    printf("open%s\n", event->again ? " again" : "");
    break;
  case BEAM_HOST_MESSAGE:
    printf("message  %.*s\n", (int)event->len, event->data);
    break;
  case BEAM_HOST_EMIT:
    printf("script   %s %s\n", event->name, event->data);
    break;
  case BEAM_HOST_ERROR:
    printf("error    %s\n", event->error->message);
    break;
  case BEAM_HOST_CLOSED:
    printf("closed   %s\n", event->error->message);
    is_over = 1;
    break;
  }
}

static void one_frame(beam_host *host) {
  static const struct timespec rest = {0, 16 * 1000 * 1000};
  beam_host_error error;
  if (reload_wanted && beam_host_reload_file(host, NULL, &error))
    printf("the old script goes on: %s\n", error.message);
  reload_wanted = 0;
  beam_host_step(host, 0); /* waits for nothing */
  nanosleep(&rest, NULL);  /* here the game draws */
}

int main(int argc, char **argv) {
  beam_host_options options = {.target = argc > 2 ? argv[2] : NULL, .memory = 16 << 20, .seconds = 0.01};
  long frames = argc > 3 ? atol(argv[3]) : 300;
  beam_host_error error;
  beam_host_result result;
  beam_host *host;
  if (argc < 2) {
    fprintf(stderr, "usage: frame_loop SCRIPT [TARGET [FRAMES]]\n");
    return 2;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  signal(SIGHUP, on_hangup);
  if (beam_host_new(&host, &options, &error)) {
    fprintf(stderr, "frame_loop: %s\n", error.message);
    return 1;
  }
  beam_host_on(host, on_event, NULL);
  if (beam_host_load_file(host, argv[1], &error)) {
    fprintf(stderr, "frame_loop: %s\n", error.message);
    beam_host_free(host);
    return 1;
  }
  while (!is_over && frames-- > 0)
    one_frame(host);
  if (beam_host_has(host, "count") && !beam_host_call(host, "count", NULL, 0, &result, NULL))
    printf("count    %s\n", result.data);
  beam_host_close(host, 1000, "the game is over");
  while (!is_over)
    beam_host_step(host, 100);
  beam_host_free(host);
  return 0;
}
