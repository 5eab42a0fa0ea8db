/* libuv's own descriptor says nothing of timers: put it and a timer into one pollset. */
#include "loop/pollset.h"

#include <stdlib.h>
#include <unistd.h>

struct beam__pollset {
  int fd;
  int timer_fd;   /* epoll only */
  uint64_t armed; /* the loop time that the timer is set to; 0: not set */
};

#if defined(__linux__)
#include <sys/epoll.h>
#include <sys/timerfd.h>

static int pollset_open(beam__pollset *pollset, int loop_fd) {
  struct epoll_event loop_event = {.events = EPOLLIN}, timer_event = {.events = EPOLLIN};
  pollset->fd = epoll_create1(EPOLL_CLOEXEC);
  pollset->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (pollset->fd < 0 || pollset->timer_fd < 0)
    return -1;
  return epoll_ctl(pollset->fd, EPOLL_CTL_ADD, loop_fd, &loop_event) ||
         epoll_ctl(pollset->fd, EPOLL_CTL_ADD, pollset->timer_fd, &timer_event);
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

#else
#include <sys/event.h>
#include <sys/time.h>

static int pollset_open(beam__pollset *pollset, int loop_fd) {
  struct kevent change;
  pollset->timer_fd = -1;
  pollset->fd = kqueue();
  EV_SET(&change, (uintptr_t)loop_fd, EVFILT_READ, EV_ADD, 0, 0, NULL);
  return pollset->fd < 0 || kevent(pollset->fd, &change, 1, NULL, 0, NULL);
}

static void pollset_set_timer(beam__pollset *pollset, int timeout_ms) {
  struct kevent change;
  EV_SET(&change, 1, EVFILT_TIMER, timeout_ms < 0 ? EV_DELETE : EV_ADD | EV_ONESHOT, 0, timeout_ms < 0 ? 0 : timeout_ms,
         NULL);
  kevent(pollset->fd, &change, 1, NULL, 0, NULL);
}
#endif

beam__pollset *beam__pollset_new(const uv_loop_t *loop) {
  beam__pollset *pollset = calloc(1, sizeof *pollset);
  if (!pollset)
    return NULL;
  if (pollset_open(pollset, uv_backend_fd(loop)) == 0)
    return pollset;
  beam__pollset_free(pollset);
  return NULL;
}

int beam__pollset_fd(const beam__pollset *pollset) { return pollset->fd; }

/* Setting the timer is a system call, so an unchanged deadline is left alone; one that has passed is always set anew,
 * for a timer that fired stays readable until then. */
void beam__pollset_arm(beam__pollset *pollset, uint64_t now_ms, int timeout_ms) {
  uint64_t deadline = timeout_ms < 0 ? 0 : now_ms + (uint64_t)timeout_ms;
  if (deadline == pollset->armed && (deadline == 0 || deadline > now_ms))
    return;
  pollset_set_timer(pollset, timeout_ms);
  pollset->armed = deadline;
}

void beam__pollset_free(beam__pollset *pollset) {
  if (!pollset)
    return;
  if (pollset->fd >= 0)
    close(pollset->fd);
  if (pollset->timer_fd >= 0)
    close(pollset->timer_fd);
  free(pollset);
}
