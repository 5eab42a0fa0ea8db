/* A socket watched by libuv itself. */
#include "carrier/readiness.h"

#include <stdlib.h>
#include <unistd.h>

typedef struct poll_watch {
  beam__watch base;
  const beam__watch_events *events; /* NULL once it is closed */
  void *user;
  uv_poll_t poll;
  int fd, wanted; /* UV_READABLE, UV_WRITABLE */
} poll_watch;

/* libuv (1.44) tells of an error by a negative status, whatever else is ready, and stops watching. */
static void on_ready(uv_poll_t *poll, int status, int ready) {
  poll_watch *watch = poll->data;
  if (status < 0)
    watch->events->failed(watch->user);
  else
    watch->events->ready(watch->user, ready & UV_READABLE, ready & UV_WRITABLE);
}

static void want(beam__watch *base, int reading, int writing) {
  poll_watch *watch = (poll_watch *)base;
  int wanted = (reading ? UV_READABLE : 0) | (writing ? UV_WRITABLE : 0);
  if (wanted == watch->wanted)
    return;
  watch->wanted = wanted;
  if (wanted)
    uv_poll_start(&watch->poll, wanted, on_ready);
  else
    uv_poll_stop(&watch->poll);
}

static void close_watch(beam__watch *base) {
  poll_watch *watch = (poll_watch *)base;
  uv_close((uv_handle_t *)&watch->poll, beam__free_with_handle);
  close(watch->fd); /* libuv has let go of it in uv_close */
}

beam__watch *beam__watch_socket(beam_ctx *ctx, int fd, const beam__watch_events *events, void *user) {
  poll_watch *watch = calloc(1, sizeof *watch);
  if (!watch || uv_poll_init(&ctx->loop, &watch->poll, fd)) {
    free(watch);
    return NULL;
  }
  watch->base = (beam__watch){want, close_watch};
  watch->events = events;
  watch->user = user;
  watch->poll.data = watch;
  watch->fd = fd;
  return &watch->base;
}
