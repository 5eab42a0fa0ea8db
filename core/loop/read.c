/* One read from a descriptor that is not ours, when there is something to read: standard input beside the connections.
 *
 * The descriptor stays blocking, since other processes may share it; a read that follows upon readability returns with
 * what there is. Where the system cannot tell readability (files, /dev/null), a read never waits: it is done at once.
 * One read at a time is all the back-pressure there need be: who wants more starts another. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "internal.h"

enum { READ_SIZE = 64 * 1024 };

struct beam_read {
  union { /* a file has an idle handle, which comes in the next turn of the loop */
    uv_handle_t any;
    uv_poll_t poll;
    uv_idle_t idle;
  } handle;
  beam__owned owned;
  beam_ctx *ctx;
  int fd;
  void (*done)(void *user, const char *data, size_t len, int system_error);
  void *user;
};

static void close_read(beam_read *self) {
  beam__list_remove(&self->owned.node);
  uv_close(&self->handle.any, beam__free_with_handle);
}

static void destroy_read(beam__owned *owned) { close_read(BEAM__CONTAINER(owned, beam_read, owned)); }

static void read_now(beam_read *self) {
  void (*done)(void *user, const char *data, size_t len, int system_error) = self->done;
  void *user = self->user;
  char *data = malloc(READ_SIZE);
  ssize_t len = data ? read(self->fd, data, READ_SIZE) : -1;
  int system_error = len >= 0 ? 0 : data ? errno : ENOMEM;
  if (system_error != EINTR && system_error != EAGAIN) { /* else: nothing yet, the handle goes on watching */
    close_read(self);
    if (!self->ctx->closing)
      done(user, data, len > 0 ? (size_t)len : 0, system_error);
  }
  free(data);
}

static void on_poll(uv_poll_t *handle, int status, int events) {
  (void)status; /* the read itself says what is wrong */
  (void)events;
  read_now(handle->data);
}

static void on_idle(uv_idle_t *handle) { read_now(handle->data); }

/* uv_poll_init (libuv 1.44) sets O_NONBLOCK, for everybody who shares the descriptor: the shell, our own output. */
static int watch(beam_read *self) {
  int flags = fcntl(self->fd, F_GETFL), refused = uv_poll_init(&self->ctx->loop, &self->handle.poll, self->fd);
  if (flags >= 0)
    fcntl(self->fd, F_SETFL, flags);
  if (refused == UV_EPERM) {
    uv_idle_init(&self->ctx->loop, &self->handle.idle);
    return uv_idle_start(&self->handle.idle, on_idle);
  }
  return refused ? refused : uv_poll_start(&self->handle.poll, UV_READABLE, on_poll);
}

int beam_read_start(beam_ctx *ctx, beam_read **out, int fd,
                    void (*done)(void *user, const char *data, size_t len, int system_error), void *user) {
  beam_read *self;
  *out = NULL;
  if (beam__is_foreign(ctx))
    return BEAM_EINVALID;
  self = calloc(1, sizeof *self);
  if (!self)
    return BEAM_ENO_MEMORY;
  self->ctx = ctx;
  self->fd = fd;
  self->done = done;
  self->user = user;
  if (watch(self)) {
    free(self);
    return BEAM_EINVALID;
  }
  self->handle.any.data = self;
  *out = self;
  beam__own(ctx, &self->owned, destroy_read);
  beam__touch(ctx);
  return 0;
}

void beam_read_stop(beam_read *self) {
  if (self && !beam__is_foreign(self->ctx) && !uv_is_closing(&self->handle.any))
    close_read(self);
}
