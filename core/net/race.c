/* The race: at any time an attempt runs, or all have failed. */
#include "net/race.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/socket.h"

enum { STAGGER_MS = 250, FAILURES_SIZE = 256 }; /* RFC 8305 section 8: Connection Attempt Delay */

typedef struct attempt { /* freed when libuv has let go of it */
  uv_poll_t poll;
  beam__race *race;
  size_t index; /* of the address */
  int fd;
} attempt;

struct beam__race {
  beam_ctx *ctx;
  void (*done)(void *user, int fd, int system, const char *failures);
  void *user;
  beam__addresses addresses;
  attempt *running[BEAM__ADDRESSES_MAX]; /* by the address */
  size_t next, count;                    /* the address to be tried next; attempts that run */
  beam_timer *stagger;
  beam__task start;
  int system; /* errno of the last that failed */
  char failures[FAILURES_SIZE];
};

/* ---- Attempts ---- */

static socklen_t length_of(const struct sockaddr_storage *address) {
  return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

static void note_failure(beam__race *race, size_t index, int system) {
  const struct sockaddr_storage *address = &race->addresses.list[index];
  size_t used = strlen(race->failures);
  char host[64], port[8], reason[96];
  if (getnameinfo((const struct sockaddr *)address, length_of(address), host, sizeof host, port, sizeof port,
                  NI_NUMERICHOST | NI_NUMERICSERV))
    snprintf(host, sizeof host, "?"), *port = '\0';
  snprintf(race->failures + used, sizeof race->failures - used,
           address->ss_family == AF_INET6 ? "%s%s ([%s]:%s)" : "%s%s (%s:%s)", used ? "; " : "",
           beam__system_text(system, reason, sizeof reason), host, port);
  race->system = system;
}

/* Gives the attempt up, but for its socket. */
static int release(attempt *over) {
  over->race->running[over->index] = NULL;
  over->race->count--;
  uv_close((uv_handle_t *)&over->poll, beam__free_with_handle);
  return over->fd;
}

static void free_race(beam__race *race) {
  size_t i;
  for (i = 0; i < race->addresses.count; i++)
    if (race->running[i])
      close(release(race->running[i]));
  beam_timer_stop(race->stagger);
  beam__task_cancel(&race->start);
  free(race);
}

/* ---- The race ---- */

static void start_next(beam__race *race);

/* The opening ends with it: whatever else runs is given up before. */
static void finish(beam__race *race, int fd) {
  void (*done)(void *user, int fd, int system, const char *failures) = race->done;
  void *user = race->user;
  char failures[FAILURES_SIZE];
  int system = race->system;
  memcpy(failures, race->failures, sizeof failures);
  free_race(race);
  done(user, fd, system, failures);
}

static void on_stagger(void *user) {
  beam__race *race = user;
  race->stagger = NULL;
  start_next(race);
}

static void on_ready(uv_poll_t *poll, int status, int ready) {
  attempt *over = poll->data;
  beam__race *race = over->race;
  int system = beam__socket_error(over->fd), fd;
  (void)ready;
  if (status < 0 && !system)
    system = ECONNABORTED;
  if (system)
    note_failure(race, over->index, system);
  fd = release(over);
  if (!system) {
    finish(race, fd);
    return;
  }
  close(fd);
  beam_timer_stop(race->stagger);
  race->stagger = NULL;
  start_next(race);
}

/* 0, or errno. */
static int watch(beam__race *race, size_t index, int fd) {
  attempt *made = calloc(1, sizeof *made);
  int status;
  if (!made)
    return ENOMEM;
  if ((status = uv_poll_init(&race->ctx->loop, &made->poll, fd))) {
    free(made);
    return status == UV_ENOMEM ? ENOMEM : EMFILE;
  }
  made->poll.data = made;
  made->race = race;
  made->index = index;
  made->fd = fd;
  race->running[index] = made;
  race->count++;
  uv_poll_start(&made->poll, UV_WRITABLE, on_ready);
  return 0;
}

/* 0: it runs; or errno. */
static int try_address(beam__race *race, size_t index) {
  const struct sockaddr_storage *address = &race->addresses.list[index];
  int fd = beam__socket_open(address->ss_family), system = 0;
  if (fd < 0)
    return errno;
  if (connect(fd, (const struct sockaddr *)address, length_of(address)) && errno != EINPROGRESS && errno != EINTR)
    system = errno;
  if (!system)
    system = watch(race, index, fd);
  if (system)
    close(fd);
  return system;
}

/* Without memory for the timer the next address waits for this one to fail. */
static void start_next(beam__race *race) {
  while (race->next < race->addresses.count) {
    size_t index = race->next++;
    int system = try_address(race, index);
    if (system) {
      note_failure(race, index, system);
      continue;
    }
    if (race->next < race->addresses.count)
      beam_timer_start(race->ctx, &race->stagger, STAGGER_MS, on_stagger, race);
    return;
  }
  if (!race->count)
    finish(race, -1);
}

static void start(beam__task *task) { start_next(BEAM__CONTAINER(task, beam__race, start)); }

int beam__race_start(beam_ctx *ctx, beam__race **out, const beam__addresses *addresses,
                     void (*done)(void *user, int fd, int system, const char *failures), void *user) {
  beam__race *race = calloc(1, sizeof *race);
  *out = race;
  if (!race)
    return BEAM_ENO_MEMORY;
  race->ctx = ctx;
  race->addresses = *addresses;
  race->done = done;
  race->user = user;
  beam__task_init(&race->start, start);
  beam__task_defer(ctx, &race->start);
  return 0;
}

void beam__race_cancel(beam__race *race) {
  if (race)
    free_race(race);
}
