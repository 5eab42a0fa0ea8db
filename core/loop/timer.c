/* One-shot timers for the users of a context. */
#include <stdlib.h>

#include "internal.h"

struct beam_timer {
  uv_timer_t handle;
  beam__owned owned;
  beam_ctx *ctx;
  void (*fire)(void *user);
  void *user;
};

static void close_timer(beam_timer *timer) {
  beam__list_remove(&timer->owned.node);
  uv_close((uv_handle_t *)&timer->handle, beam__free_with_handle);
}

static void destroy_timer(beam__owned *owned) { close_timer(BEAM__CONTAINER(owned, beam_timer, owned)); }

static void on_timer(uv_timer_t *handle) {
  beam_timer *timer = handle->data;
  void (*fire)(void *user) = timer->fire;
  void *user = timer->user;
  int closing = timer->ctx->closing;
  close_timer(timer);
  if (!closing)
    fire(user);
}

int beam_timer_start(beam_ctx *ctx, beam_timer **out, uint64_t ms, void (*fire)(void *user), void *user) {
  beam_timer *timer = beam__is_foreign(ctx) ? NULL : calloc(1, sizeof *timer);
  *out = timer;
  if (beam__is_foreign(ctx))
    return BEAM_EINVALID;
  if (!timer)
    return BEAM_ENO_MEMORY;
  timer->ctx = ctx;
  timer->fire = fire;
  timer->user = user;
  uv_timer_init(&ctx->loop, &timer->handle);
  timer->handle.data = timer;
  if (!ctx->stepping)
    uv_update_time(&ctx->loop); /* the loop's clock stands still between steps: the delay counts from now */
  uv_timer_start(&timer->handle, on_timer, ms, 0);
  beam__own(ctx, &timer->owned, destroy_timer);
  beam__touch(ctx);
  return 0;
}

void beam_timer_stop(beam_timer *timer) {
  if (timer && !beam__is_foreign(timer->ctx) && !uv_is_closing((uv_handle_t *)&timer->handle))
    close_timer(timer);
}
