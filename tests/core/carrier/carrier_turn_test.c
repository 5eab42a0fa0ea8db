/* Turns of a host that waits on beam_fd: one socket that is ready again and again is read without asking libuv, and
 * nobody waits behind it. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "carrier/carrier.h"
#include "carrier/stream.h"
#include "internal.h"
#include "test.h"

/* ---- How often libuv asks the system ---- */

static int asked;

__attribute__((visibility("default"))) int epoll_pwait(int fd, struct epoll_event *events, int max, int timeout,
                                                       const sigset_t *mask) {
  static int (*real)(int, struct epoll_event *, int, int, const sigset_t *);
  if (!real)
    *(void **)&real = dlsym(RTLD_NEXT, "epoll_pwait");
  asked++;
  return real(fd, events, max, timeout, mask);
}

__attribute__((visibility("default"))) int epoll_wait(int fd, struct epoll_event *events, int max, int timeout) {
  return epoll_pwait(fd, events, max, timeout, NULL);
}

/* ---- Two connections ---- */

typedef struct end {
  beam__carrier *carrier;
  int peer, heard, lost, close_at_once;
} end;

static beam_ctx *ctx;
static end busy, quiet;

static void on_data(void *user, const void *data, size_t len) {
  end *to = user;
  (void)data;
  to->heard += (int)len;
  if (to->close_at_once) {
    to->carrier->ops->close(to->carrier, BEAM__END_NOW);
    to->carrier = NULL;
  }
}

static void on_drained(void *user) { (void)user; }

static void on_lost(void *user, const beam_error *error) {
  (void)error;
  ((end *)user)->lost++;
}

static const beam__carrier_events events = {.data = on_data, .drained = on_drained, .lost = on_lost};

static void open_end(end *made) {
  int pair[2];
  memset(made, 0, sizeof *made);
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair))
    exit(1);
  made->peer = pair[0];
  made->carrier = beam__stream_new(ctx, pair[1], beam__watch_socket, &events, made);
  CHECK(made->carrier != NULL);
}

static void set_up(void) {
  CHECK_INT(beam_new(&ctx, NULL), 0);
  open_end(&busy);
  open_end(&quiet);
  CHECK(beam_fd(ctx) >= 0);
  beam_step(ctx, 0);
}

static void tear_down(void) {
  close(busy.peer);
  close(quiet.peer);
  if (busy.carrier)
    busy.carrier->ops->close(busy.carrier, BEAM__END_NOW);
  quiet.carrier->ops->close(quiet.carrier, BEAM__END_NOW);
  beam_close(ctx);
}

static void say(const end *from) { CHECK_INT(send(from->peer, "x", 1, MSG_NOSIGNAL), 1); }

static int is_readable(void) {
  struct pollfd fd = {.fd = beam_fd(ctx), .events = POLLIN};
  return poll(&fd, 1, 0) == 1;
}

/* Turns as a host does, once it is told. */
static void turn_once(void) {
  CHECK(is_readable());
  while (beam_turn(ctx) == 1) {
  }
}

static void make_likely(void) {
  int i;
  for (i = 0; i < 4; i++) {
    say(&busy);
    turn_once();
  }
  CHECK_INT(busy.heard, 4);
}

/* ---- The tests ---- */

static void a_busy_socket_is_read_unasked(void) {
  int i;
  set_up();
  make_likely();
  asked = 0;
  for (i = 0; i < 8; i++) {
    say(&busy);
    turn_once();
    CHECK_INT(busy.heard, 5 + i);
  }
  CHECK_INT(asked, 0);
  CHECK(!is_readable());
  tear_down();
}

static void nobody_waits_behind_it(void) {
  int turns = 0;
  set_up();
  make_likely();
  say(&quiet);
  while (!quiet.heard && turns++ < 100) {
    say(&busy);
    turn_once();
  }
  CHECK_INT(quiet.heard, 1);
  CHECK(turns <= 20);
  tear_down();
}

static void what_else_is_ready_is_told_at_once(void) {
  set_up();
  make_likely();
  say(&busy);
  say(&quiet);
  turn_once();
  CHECK(quiet.heard || is_readable());
  tear_down();
}

static void a_wrong_guess_loses_nothing(void) {
  set_up();
  make_likely();
  say(&quiet);
  turn_once();
  CHECK_INT(quiet.heard, 1);
  tear_down();
}

static void fire(void *user) { ++*(int *)user; }

static void timers_are_on_time(void) {
  beam_timer *timer;
  int fired = 0, turns = 0;
  set_up();
  make_likely();
  CHECK_INT(beam_timer_start(ctx, &timer, 1, fire, &fired), 0);
  while (!fired && turns++ < 1000) {
    usleep(200);
    say(&busy);
    turn_once();
  }
  CHECK_INT(fired, 1);
  CHECK(turns <= 20);
  tear_down();
}

static void it_closes_in_its_event(void) {
  set_up();
  make_likely();
  busy.close_at_once = 1;
  say(&busy);
  turn_once();
  CHECK_INT(busy.heard, 5);
  say(&quiet);
  turn_once();
  CHECK_INT(quiet.heard, 1);
  tear_down();
}

static void a_paused_one_is_left_alone(void) {
  set_up();
  make_likely();
  busy.carrier->ops->pause(busy.carrier, 1);
  say(&busy);
  while (is_readable())
    turn_once();
  CHECK_INT(busy.heard, 4);
  busy.carrier->ops->pause(busy.carrier, 0);
  turn_once();
  CHECK_INT(busy.heard, 5);
  tear_down();
}

static void its_end_is_told(void) {
  set_up();
  make_likely();
  shutdown(busy.peer, SHUT_WR);
  turn_once();
  CHECK_INT(busy.lost, 1);
  tear_down();
}

/* The descriptor tells of a timer that was started outside of a step, also before the loop has ever turned. */
static void a_timer_makes_it_readable(void) {
  struct pollfd fd = {.events = POLLIN};
  beam_timer *timer;
  int fired = 0;
  CHECK_INT(beam_new(&ctx, NULL), 0);
  fd.fd = beam_fd(ctx);
  CHECK_INT(poll(&fd, 1, 0), 1);
  CHECK_INT(beam_timer_start(ctx, &timer, 20, fire, &fired), 0);
  while (poll(&fd, 1, 5000) == 1 && !fired)
    beam_step(ctx, 0);
  CHECK_INT(fired, 1);
  CHECK_INT(poll(&fd, 1, 0), 0);
  beam_close(ctx);
}

int main(void) {
  RUN(a_busy_socket_is_read_unasked);
  RUN(nobody_waits_behind_it);
  RUN(what_else_is_ready_is_told_at_once);
  RUN(a_wrong_guess_loses_nothing);
  RUN(timers_are_on_time);
  RUN(it_closes_in_its_event);
  RUN(a_paused_one_is_left_alone);
  RUN(its_end_is_told);
  RUN(a_timer_makes_it_readable);
  return test_end();
}
