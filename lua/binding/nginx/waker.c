/* A thread that polls our descriptor and writes a byte to a socket, for an nginx whose event loop cannot be given the
 * descriptor itself. A light thread reads that socket. The two take turns: after a byte the thread waits until it is
 * told to poll again, so that a descriptor which stays readable is not told twice. */
#include "nginx/nginx.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct beam_nginx_waker {
  int fd;         /* ours to poll, not ours to close */
  int listener;   /* until somebody has connected */
  int peer;       /* the thread writes to it */
  int control[2]; /* a pipe to the thread: 'r': poll again, 's': stop */
  int running;
  pthread_t thread;
  char folder[80];
  char path[100];
};

/* ---- The thread ---- */

/* Reads what was written to the control pipe: 's' if it should stop, 'r' if it should poll, 0 if nothing. */
static char read_control(const struct beam_nginx_waker *waker) {
  char commands[64], last = 0;
  ssize_t count;
  while ((count = read(waker->control[0], commands, sizeof commands)) > 0) {
    if (memchr(commands, 's', (size_t)count))
      return 's';
    last = 'r';
  }
  return last;
}

static int wait_readable(const struct beam_nginx_waker *waker) {
  struct pollfd fds[2] = {{waker->control[0], POLLIN, 0}, {waker->fd, POLLIN, 0}};
  for (;;) {
    if (poll(fds, 2, -1) < 0 && errno != EINTR)
      return 0;
    if (fds[0].revents && read_control(waker) == 's')
      return 0;
    if (fds[1].revents)
      return 1;
  }
}

static int wait_told(const struct beam_nginx_waker *waker) {
  struct pollfd told = {waker->control[0], POLLIN, 0};
  char command = 0;
  while (command == 0) {
    if (poll(&told, 1, -1) < 0 && errno != EINTR)
      return 0;
    command = read_control(waker);
  }
  return command == 'r';
}

static void *run(void *argument) {
  const struct beam_nginx_waker *waker = argument;
  while (wait_readable(waker)) {
    if (write(waker->peer, "w", 1) != 1 || !wait_told(waker)) /* SIGPIPE is blocked in this thread */
      break;
  }
  return NULL;
}

/* ---- Its life ---- */

static void close_fd(int *fd) {
  if (*fd >= 0)
    close(*fd);
  *fd = -1;
}

static void forget_name(struct beam_nginx_waker *waker) {
  if (waker->path[0])
    unlink(waker->path);
  if (waker->folder[0])
    rmdir(waker->folder);
  waker->path[0] = waker->folder[0] = 0;
  close_fd(&waker->listener);
}

/* Not inherited; a write or an accept that cannot be done at once fails. */
static int prepare(int fd) {
  return fd < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? -1 : 0;
}

static int open_control(struct beam_nginx_waker *waker) {
  return pipe(waker->control) || prepare(waker->control[0]) || prepare(waker->control[1]) ? -1 : 0;
}

static int listen_on(struct beam_nginx_waker *waker) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const char *temporary = getenv("TMPDIR");
  if (!temporary || strlen(temporary) > 60)
    temporary = "/tmp";
  snprintf(waker->folder, sizeof waker->folder, "%s/beam-XXXXXX", temporary);
  if (!mkdtemp(waker->folder)) {
    waker->folder[0] = 0;
    return -1;
  }
  snprintf(waker->path, sizeof waker->path, "%s/wake", waker->folder);
  memcpy(address.sun_path, waker->path, sizeof waker->path);
  waker->listener = socket(AF_UNIX, SOCK_STREAM, 0);
  if (prepare(waker->listener) || bind(waker->listener, (struct sockaddr *)&address, sizeof address))
    return -1;
  return listen(waker->listener, 1);
}

struct beam_nginx_waker *beam_nginx_waker_new(int fd) {
  struct beam_nginx_waker *waker = calloc(1, sizeof *waker);
  int problem;
  if (!waker)
    return NULL;
  waker->fd = fd;
  waker->listener = waker->peer = waker->control[0] = waker->control[1] = -1;
  if (open_control(waker) == 0 && listen_on(waker) == 0)
    return waker;
  problem = errno;
  beam_nginx_waker_free(waker);
  errno = problem;
  return NULL;
}

const char *beam_nginx_waker_path(const struct beam_nginx_waker *waker) { return waker->path; }

/* nginx's signals are for its own thread. */
static int start_thread(struct beam_nginx_waker *waker) {
  sigset_t all, before;
  int problem;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  problem = pthread_create(&waker->thread, NULL, run, waker);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  waker->running = problem == 0;
  return problem;
}

int beam_nginx_waker_start(struct beam_nginx_waker *waker) {
  waker->peer = accept(waker->listener, NULL, NULL);
  if (prepare(waker->peer))
    return errno;
  forget_name(waker);
  return start_thread(waker);
}

static void tell(const struct beam_nginx_waker *waker, const char *command) {
  while (write(waker->control[1], command, 1) < 0 && errno == EINTR) {
  }
}

void beam_nginx_waker_resume(struct beam_nginx_waker *waker) { tell(waker, "r"); }

void beam_nginx_waker_free(struct beam_nginx_waker *waker) {
  if (waker->running) {
    tell(waker, "s");
    pthread_join(waker->thread, NULL);
  }
  forget_name(waker);
  close_fd(&waker->peer);
  close_fd(&waker->control[0]);
  close_fd(&waker->control[1]);
  free(waker);
}
