/* Steps on a machine that is slow: time passes between the moment a step is asked for and the moment it waits. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "beam.h"
#include "test.h"

/* ---- A clock that jumps ---- */

static int looks_until_jump = -1; /* how often libuv looks at the clock before it */
static long jump_ms, jumped_ms;

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *at) {
  static int (*real)(clockid_t, struct timespec *);
  int result;
  if (!real)
    *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
  if (looks_until_jump >= 0 && looks_until_jump-- == 0)
    jumped_ms += jump_ms;
  result = real(clock, at);
  at->tv_nsec += jumped_ms % 1000 * 1000000;
  at->tv_sec += jumped_ms / 1000 + at->tv_nsec / 1000000000;
  at->tv_nsec %= 1000000000;
  return result;
}

/* The step's own look at the clock is the first; before 1.45 libuv looks again before it waits (docs/versions.md). */
static void step_late(beam_ctx *ctx, int timeout_ms, long late_ms) {
  jump_ms = late_ms;
  looks_until_jump = uv_version() < 0x012d00 ? 1 : 0;
  alarm(20); /* instead of waiting for ever */
  CHECK_INT(beam_step(ctx, timeout_ms), 0);
  alarm(0);
  CHECK_INT(looks_until_jump, -1);
}

static void a_late_step_ends(void) {
  beam_ctx *ctx;
  CHECK_INT(beam_new(&ctx, NULL), 0);
  step_late(ctx, 1, 5);
  beam_close(ctx);
}

/* ---- What falls due in between ---- */

enum { IN_FLIGHT = 256 }; /* and one that waits its turn: its end closes nothing, which would end the wait as well */

static int dones;

static void on_event(void *user, beam_http *http, const beam_http_event *event) {
  (void)user, (void)http;
  CHECK(event->error && event->error->code == BEAM_ETIMEOUT);
  dones++;
}

static int listen_and_be_silent(struct sockaddr_in *address) {
  socklen_t size = sizeof *address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  memset(address, 0, size);
  address->sin_family = AF_INET;
  address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK_INT(bind(listener, (struct sockaddr *)address, size), 0);
  CHECK_INT(listen(listener, 2 * IN_FLIGHT), 0);
  CHECK_INT(getsockname(listener, (struct sockaddr *)address, &size), 0);
  return listener;
}

static void a_deadline_ends_the_wait(void) {
  struct sockaddr_in address;
  int listener = listen_and_be_silent(&address), i;
  char url[64];
  beam_http_options options = {.url = url, .on_event = on_event, .connect_timeout_ms = 1000000};
  beam_http *http;
  beam_ctx *ctx;
  snprintf(url, sizeof url, "http://127.0.0.1:%d/", ntohs(address.sin_port));
  CHECK_INT(beam_new(&ctx, NULL), 0);
  for (i = 0; i <= IN_FLIGHT; i++) {
    options.timeout_ms = i == IN_FLIGHT ? 60000 : 0;
    CHECK_INT(beam_http_start(ctx, &http, &options, NULL), 0);
  }
  for (i = 0; i < 50; i++)
    beam_step(ctx, 10); /* connected, and the requests sent */
  CHECK_INT(dones, 0);
  step_late(ctx, -1, 61000);
  CHECK_INT(dones, 1);
  beam_close(ctx);
  close(listener);
}

int main(void) {
  RUN(a_late_step_ends);
  RUN(a_deadline_ends_the_wait);
  return test_end();
}
