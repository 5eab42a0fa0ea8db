/* Stands before the C library; see fault.h. What is not armed goes through. */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fault.h"

#define EXPORT __attribute__((visibility("default")))

static fault_state own, *state = &own;
static __thread int inside __attribute__((tls_model("initial-exec"))); /* not our own allocations */

EXPORT fault_state *fault_use(fault_state *to) {
  if (to)
    state = to;
  return state;
}

static int is_due(int kind) {
  unsigned long number;
  if (state->kind != kind || inside)
    return 0;
  number = __atomic_add_fetch(&state->count, 1, __ATOMIC_RELAXED);
  return number >= state->first && number <= state->last;
}

static int fails(int kind) {
  if (!is_due(kind))
    return 0;
  if (__atomic_add_fetch(&state->failed, 1, __ATOMIC_RELAXED) == 1 && state->on_first) {
    void *frames[FAULT_FRAMES];
    inside = 1;
    state->on_first(frames, backtrace(frames, FAULT_FRAMES));
    inside = 0;
  }
  return 1;
}

/* ---- Memory. dlsym allocates, before there is anything to allocate with: from `early` ---- */

static char early[65536] __attribute__((aligned(16)));
static size_t early_used;
/* Seen by what dlsym calls, which its declaration denies. */
static __thread volatile int resolving __attribute__((tls_model("initial-exec")));

static int is_early(const void *memory) {
  return (const char *)memory >= early && (const char *)memory < early + sizeof early;
}

static void *early_take(size_t size) {
  void *memory = early + early_used;
  early_used += (size + 15) / 16 * 16;
  if (early_used > sizeof early)
    abort();
  return memory;
}

/* The next one of this name, as a function of the wanted type. */
static void find(void *function, const char *name) {
  void *found;
  resolving++;
  found = dlsym(RTLD_NEXT, name);
  resolving--;
  memcpy(function, &found, sizeof found);
}

#define NEXT(result, name, ...)                                                                                        \
  static result (*next)(__VA_ARGS__);                                                                                  \
  if (!next)                                                                                                           \
  find(&next, name)

static void *no_memory(void) {
  errno = ENOMEM;
  return NULL;
}

EXPORT void *malloc(size_t size) {
  if (resolving)
    return early_take(size);
  NEXT(void *, "malloc", size_t);
  return fails(FAULT_MEMORY) ? no_memory() : next(size);
}

EXPORT void *calloc(size_t count, size_t size) {
  if (resolving)
    return early_take(count * size);
  NEXT(void *, "calloc", size_t, size_t);
  return fails(FAULT_MEMORY) ? no_memory() : next(count, size);
}

EXPORT void *realloc(void *memory, size_t size) {
  if (resolving || is_early(memory)) {
    void *moved = resolving ? early_take(size) : malloc(size);
    if (moved && memory)
      memcpy(moved, memory, size); /* what lies behind in `early` is read with it, which is ours */
    return moved;
  }
  NEXT(void *, "realloc", void *, size_t);
  return size && fails(FAULT_MEMORY) ? no_memory() : next(memory, size);
}

EXPORT void free(void *memory) {
  if (is_early(memory) || resolving) /* dlsym's own: a few bytes stay */
    return;
  NEXT(void, "free", void *);
  next(memory);
}

EXPORT int posix_memalign(void **memory, size_t alignment, size_t size) {
  NEXT(int, "posix_memalign", void **, size_t, size_t);
  return fails(FAULT_MEMORY) ? ENOMEM : next(memory, alignment, size);
}

EXPORT void *aligned_alloc(size_t alignment, size_t size) {
  NEXT(void *, "aligned_alloc", size_t, size_t);
  return fails(FAULT_MEMORY) ? no_memory() : next(alignment, size);
}

EXPORT void *memalign(size_t alignment, size_t size) {
  NEXT(void *, "memalign", size_t, size_t);
  return fails(FAULT_MEMORY) ? no_memory() : next(alignment, size);
}

/* Here too, since AddressSanitizer's do not come back to malloc. */
EXPORT char *strndup(const char *text, size_t max) {
  size_t len = strnlen(text, max);
  char *copy = malloc(len + 1);
  if (!copy)
    return NULL;
  memcpy(copy, text, len);
  copy[len] = '\0';
  return copy;
}

EXPORT char *strdup(const char *text) { return strndup(text, strlen(text)); }
EXPORT char *__strdup(const char *text) { return strdup(text); }

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument) {
  NEXT(int, "pthread_create", pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
  return fails(FAULT_MEMORY) ? EAGAIN : next(thread, attributes, run, argument);
}

/* Who blocks all signals, as our threads do, hears of a crash all the same: or the process would end without a word of
 * whose it is. */
EXPORT int pthread_sigmask(int how, const sigset_t *set, sigset_t *before) {
  static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
  sigset_t less;
  size_t i;
  NEXT(int, "pthread_sigmask", int, const sigset_t *, sigset_t *);
  if (!set || how == SIG_UNBLOCK)
    return next(how, set, before);
  less = *set;
  for (i = 0; i < sizeof crashes / sizeof *crashes; i++)
    sigdelset(&less, crashes[i]);
  return next(how, &less, before);
}

/* ---- System calls: every second one is interrupted, or each does a part ---- */

static int interrupted(void) {
  if (!is_due(FAULT_INTERRUPT) || (state->count * 2654435761u >> 13) % 2) /* half of them, in no order */
    return 0;
  state->failed++;
  errno = EINTR;
  return 1;
}

/* One byte, two, three, … to 61. */
static size_t part(size_t len) {
  size_t wanted;
  if (!is_due(FAULT_SHORT) || len < 2)
    return len;
  state->failed++;
  wanted = 1 + state->count % 61;
  return wanted < len ? wanted : len;
}

/* Of bytes; else it may be a counter (eventfd, timerfd). */
static int is_stream(int fd) {
  struct stat file;
  return fstat(fd, &file) == 0 && (S_ISREG(file.st_mode) || S_ISSOCK(file.st_mode) || S_ISFIFO(file.st_mode));
}

/* A counter is read whole or not at all. */
static size_t part_of(int fd, size_t len) { return state->kind == FAULT_SHORT && is_stream(fd) ? part(len) : len; }

EXPORT ssize_t read(int fd, void *to, size_t len) {
  NEXT(ssize_t, "read", int, void *, size_t);
  return interrupted() ? -1 : next(fd, to, part_of(fd, len));
}

EXPORT ssize_t __read_chk(int fd, void *to, size_t len, size_t room) {
  if (len > room)
    abort();
  return read(fd, to, len);
}

/* Linux interrupts nobody who adds to a counter without waiting, and libuv (1.53) aborts if it did. */
EXPORT ssize_t write(int fd, const void *from, size_t len) {
  NEXT(ssize_t, "write", int, const void *, size_t);
  if (state->kind == FAULT_INTERRUPT && is_stream(fd) && interrupted())
    return -1;
  return next(fd, from, part_of(fd, len));
}

EXPORT ssize_t recv(int fd, void *to, size_t len, int flags) {
  NEXT(ssize_t, "recv", int, void *, size_t, int);
  return interrupted() ? -1 : next(fd, to, part(len), flags);
}

EXPORT ssize_t __recv_chk(int fd, void *to, size_t len, size_t room, int flags) {
  if (len > room)
    abort();
  return recv(fd, to, len, flags);
}

EXPORT ssize_t send(int fd, const void *from, size_t len, int flags) {
  NEXT(ssize_t, "send", int, const void *, size_t, int);
  return interrupted() ? -1 : next(fd, from, part(len), flags);
}

EXPORT ssize_t writev(int fd, const struct iovec *pieces, int count) {
  NEXT(ssize_t, "writev", int, const struct iovec *, int);
  if (interrupted())
    return -1;
  return count && part(pieces[0].iov_len) < pieces[0].iov_len ? write(fd, pieces[0].iov_base, pieces[0].iov_len)
                                                              : next(fd, pieces, count);
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  struct iovec first;
  struct msghdr less = *message;
  NEXT(ssize_t, "sendmsg", int, const struct msghdr *, int);
  if (interrupted())
    return -1;
  if (state->kind != FAULT_SHORT || !message->msg_iovlen || message->msg_controllen)
    return next(fd, message, flags);
  first = message->msg_iov[0];
  first.iov_len = part(first.iov_len);
  less.msg_iov = &first;
  less.msg_iovlen = 1;
  return next(fd, &less, flags);
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
  NEXT(ssize_t, "recvmsg", int, struct msghdr *, int);
  return interrupted() ? -1 : next(fd, message, flags);
}

EXPORT int poll(struct pollfd *fds, nfds_t count, int timeout) {
  NEXT(int, "poll", struct pollfd *, nfds_t, int);
  return interrupted() ? -1 : next(fds, count, timeout);
}

EXPORT int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room) {
  if (count > room / sizeof *fds)
    abort();
  return poll(fds, count, timeout);
}

EXPORT int epoll_wait(int fd, struct epoll_event *events, int max, int timeout) {
  NEXT(int, "epoll_wait", int, struct epoll_event *, int, int);
  return interrupted() ? -1 : next(fd, events, max, timeout);
}

EXPORT int epoll_pwait(int fd, struct epoll_event *events, int max, int timeout, const sigset_t *mask) {
  NEXT(int, "epoll_pwait", int, struct epoll_event *, int, int, const sigset_t *);
  return interrupted() ? -1 : next(fd, events, max, timeout, mask);
}

static int is_of(const char *library, void *caller) {
  Dl_info info;
  return dladdr(caller, &info) && info.dli_fname && strstr(info.dli_fname, library);
}

/* One that is interrupted goes on by itself, which is told later (POSIX). Linux interrupts none that does not wait, and
 * libcurl (8.14) takes it for a refusal: its own are spared. */
EXPORT int connect(int fd, const struct sockaddr *address, socklen_t len) {
  NEXT(int, "connect", int, const struct sockaddr *, socklen_t);
  int is_spared = is_of("libcurl", __builtin_return_address(0));
  int result = next(fd, address, len);
  return result < 0 && errno == EINPROGRESS && !is_spared && interrupted() ? -1 : result;
}

EXPORT int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags) {
  NEXT(int, "accept4", int, struct sockaddr *, socklen_t *, int);
  return interrupted() ? -1 : next(fd, address, len, flags);
}

EXPORT int accept(int fd, struct sockaddr *address, socklen_t *len) {
  NEXT(int, "accept", int, struct sockaddr *, socklen_t *);
  return interrupted() ? -1 : next(fd, address, len);
}
