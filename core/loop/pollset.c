/* libuv's own descriptor says nothing of timers. Where there are timers with a descriptor of their own (Linux), the
 * loop watches one, so that its descriptor is all there is: a set around it would make each readiness pass through one
 * set more, 0.3 us each time. Elsewhere the two are in a set. */
#include "loop/pollset.h"

#include <stdlib.h>
#include <unistd.h>

struct beam__pollset {
  int fd;         /* kqueue only: the set */
  int timer_fd;   /* epoll only */
  uint64_t armed; /* the loop time that the timer is set to; 0: not set */
  uv_poll_t timer;
  uv_loop_t *loop;
};

#if defined(__linux__)
#include <sys/epoll.h>
#include <sys/timerfd.h>

/* Its time has come: beam__pollset_arm sets it anew when the step is done. */
static void on_timer(uv_poll_t *timer, int status, int events) { (void)timer, (void)status, (void)events; }

/* The loop adds it when it turns; until then, too, a call from outside is to be seen, so it is added at once: libuv
 * takes well that it is there already. */
static int pollset_open(beam__pollset *pollset) {
  struct epoll_event event = {.events = EPOLLIN};
  pollset->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (pollset->timer_fd < 0 || uv_poll_init(pollset->loop, &pollset->timer, pollset->timer_fd))
    return -1;
  pollset->timer.data = pollset;
  uv_poll_start(&pollset->timer, UV_READABLE, on_timer);
  event.data.fd = pollset->timer_fd; /* as libuv has it */
  epoll_ctl(uv_backend_fd(pollset->loop), EPOLL_CTL_ADD, pollset->timer_fd, &event);
  uv_unref((uv_handle_t *)&pollset->timer); /* it keeps nobody waiting */
  return 0;
}

static void pollset_set_timer(beam__pollset *pollset, int timeout_ms) {
  struct itimerspec when = {{0, 0}, {0, 0}};
  if (timeout_ms == 0)
    when.it_value.tv_nsec = 1;
  else if (timeout_ms > 0) {
    when.it_value.tv_sec = timeout_ms / 1000;
    when.it_value.tv_nsec = (long)(timeout_ms % 1000) * 1000000;
  }
  timerfd_settime(pollset->timer_fd, 0, &when, NULL);
}

int beam__pollset_fd(const beam__pollset *pollset) { return uv_backend_fd(pollset->loop); }

static void on_closed(uv_handle_t *timer) {
  beam__pollset *pollset = timer->data;
  close(pollset->timer_fd);
  free(pollset);
}

void beam__pollset_free(beam__pollset *pollset) {
  if (pollset)
    uv_close((uv_handle_t *)&pollset->timer, on_closed);
}

#else
#include <sys/event.h>
#include <sys/time.h>

static int pollset_open(beam__pollset *pollset) {
  struct kevent change;
  pollset->fd = kqueue();
  EV_SET(&change, (uintptr_t)uv_backend_fd(pollset->loop), EVFILT_READ, EV_ADD, 0, 0, NULL);
  return pollset->fd < 0 || kevent(pollset->fd, &change, 1, NULL, 0, NULL);
}

static void pollset_set_timer(beam__pollset *pollset, int timeout_ms) {
  struct kevent change;
  EV_SET(&change, 1, EVFILT_TIMER, timeout_ms < 0 ? EV_DELETE : EV_ADD | EV_ONESHOT, 0, timeout_ms < 0 ? 0 : timeout_ms,
         NULL);
  kevent(pollset->fd, &change, 1, NULL, 0, NULL);
}

int beam__pollset_fd(const beam__pollset *pollset) { return pollset->fd; }

void beam__pollset_free(beam__pollset *pollset) {
  if (!pollset)
    return;
  if (pollset->fd >= 0)
    close(pollset->fd);
  free(pollset);
}
#endif

beam__pollset *beam__pollset_new(uv_loop_t *loop) {
  beam__pollset *pollset = calloc(1, sizeof *pollset);
  if (!pollset)
    return NULL;
  pollset->fd = pollset->timer_fd = -1;
  pollset->loop = loop;
  if (pollset_open(pollset) == 0)
    return pollset;
  if (pollset->fd >= 0)
    close(pollset->fd);
  if (pollset->timer_fd >= 0)
    close(pollset->timer_fd);
  free(pollset);
  return NULL;
}

/* Setting the timer is a system call, so an unchanged deadline is left alone; one that has passed is always set anew,
 * for a timer that fired stays readable until then. */
void beam__pollset_arm(beam__pollset *pollset, uint64_t now_ms, int timeout_ms) {
  uint64_t deadline = timeout_ms < 0 ? 0 : now_ms + (uint64_t)timeout_ms;
  if (deadline == pollset->armed && (deadline == 0 || deadline > now_ms))
    return;
  pollset_set_timer(pollset, timeout_ms);
  pollset->armed = deadline;
}
