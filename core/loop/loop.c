/* The context: one libuv loop, the work deferred to its steps, and everything that has to end before it does. */
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"
#include "loop/pollset.h"

enum {
  TURNS_PER_POLL = 3,  /* one is not always all that is due */
  TURNS_TO_CLOSE = 200 /* libuv needs a turn or two per generation of closing handles; this only bounds a defect */
};

/* ---- Deferred work ---- */

void beam__task_init(beam__task *task, void (*run)(beam__task *task)) {
  beam__list_init(&task->node);
  task->run = run;
}

void beam__task_defer(beam_ctx *ctx, beam__task *task) {
  if (!beam__list_empty(&task->node))
    return;
  beam__list_add(&ctx->tasks, &task->node);
  beam__touch(ctx);
}

void beam__task_cancel(beam__task *task) { beam__list_remove(&task->node); }

/* Runs what is queued now; what these tasks defer waits for the next round, so that a step ends. */
static void run_tasks(beam_ctx *ctx) {
  beam__node mark;
  if (beam__list_empty(&ctx->tasks))
    return;
  beam__list_add(&ctx->tasks, &mark);
  while (ctx->tasks.next != &mark) {
    beam__task *task = BEAM__CONTAINER(ctx->tasks.next, beam__task, node);
    beam__list_remove(&task->node);
    task->run(task);
  }
  beam__list_remove(&mark);
}

/* ---- Ownership ---- */

void beam__own(beam_ctx *ctx, beam__owned *owned, void (*destroy)(beam__owned *owned)) {
  owned->destroy = destroy;
  beam__list_add(&ctx->owned, &owned->node);
}

/* ---- Log ---- */

void beam__log(beam_ctx *ctx, enum beam_log_level level, const char *format, ...) {
  char line[1024], shown[1024];
  va_list arguments;
  if (!ctx->options.log || level > ctx->options.log_level)
    return;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  beam__show(shown, sizeof shown, line);
  ctx->options.log(ctx->options.user, level, shown);
}

/* ---- Forks ---- */

const char beam__foreign[] = "the context was made before a fork, by another process: make one here";

int beam__tell_foreign(const beam_ctx *ctx) {
  beam_ctx *inherited = (beam_ctx *)(uintptr_t)ctx; /* the copy that fork has made is this process's own */
  if (!inherited->told_foreign) {
    inherited->told_foreign = 1;
    beam__log(inherited, BEAM_LOG_ERROR, "%s", beam__foreign);
  }
  return 1;
}

/* ---- Life ---- */

static void on_wakeup(uv_async_t *async) { (void)async; }
static void on_step_limit(uv_timer_t *timer) { uv_stop(timer->loop); }

/* The first loop of a process also opens a pipe for signals; libuv (1.44 to 1.53) aborts if it cannot. */
enum { LOOP_DESCRIPTORS = 6 };

static int init_loop(uv_loop_t *loop) {
  return beam__descriptors_left(LOOP_DESCRIPTORS) ? uv_loop_init(loop) : UV_EMFILE;
}

static int refused(beam_ctx *ctx, int status) {
  free(ctx);
  return status == UV_ENOMEM ? BEAM_ENO_MEMORY : BEAM_EINVALID;
}

int beam_new(beam_ctx **out, const beam_options *options) {
  beam_ctx *ctx = calloc(1, sizeof *ctx);
  int status;
  *out = NULL;
  if (!ctx)
    return BEAM_ENO_MEMORY;
  if (options)
    ctx->options = *options;
  beam__list_init(&ctx->tasks);
  beam__list_init(&ctx->owned);
  beam__watch_forks();
  ctx->forks = beam__forks;
  if ((status = init_loop(&ctx->loop)))
    return refused(ctx, status);
  beam__pin_library();
  if ((status = uv_async_init(&ctx->loop, &ctx->wakeup, on_wakeup))) {
    uv_loop_close(&ctx->loop);
    return refused(ctx, status);
  }
  uv_timer_init(&ctx->loop, &ctx->step_limit);
  *out = ctx;
  return 0;
}

static int due_in(const beam_ctx *ctx) { return beam__list_empty(&ctx->tasks) ? uv_backend_timeout(&ctx->loop) : 0; }

static void turn(beam_ctx *ctx, uv_run_mode mode) {
  ctx->turn++;
  ctx->again.ready = 0;
  uv_run(&ctx->loop, mode);
  if (ctx->needless)
    uv_idle_stop(ctx->needless);
  run_tasks(ctx);
}

/* A turn without the system's word on what is ready (loop/again.h). */
static int read_again(beam_ctx *ctx) {
  if (due_in(ctx) == 0)
    return 0;
  ctx->turn++;
  if (!beam__again_read(&ctx->again))
    return 0;
  run_tasks(ctx);
  return 1;
}

static void poll_now(beam_ctx *ctx) {
  int turns = 0;
  do
    turn(ctx, UV_RUN_NOWAIT);
  while (++turns < TURNS_PER_POLL && due_in(ctx) == 0);
}

static void limit_wait(beam_ctx *ctx, uint64_t in_ms) {
  uv_timer_t *limit = &ctx->step_limit;
  if (!uv_is_active((uv_handle_t *)limit) || uv_timer_get_due_in(limit) != in_ms)
    uv_timer_start(limit, on_step_limit, in_ms, 0);
}

/* libuv (before 1.45, docs/versions.md) runs what is due and then waits for the next thing, however late it was with
 * the first: so the limit is due together with the first timer, and ends the wait that comes after it. Where that is
 * all that ends it, it stays: the next wait has the same first timer most times. */
static void wait_once(beam_ctx *ctx, int timeout_ms) {
  int first;
  if (timeout_ms >= 0)
    uv_timer_stop(&ctx->step_limit);
  first = due_in(ctx);
  if (first >= 0 && (timeout_ms < 0 || first < timeout_ms))
    limit_wait(ctx, (uint64_t)first);
  else if (timeout_ms >= 0)
    limit_wait(ctx, (uint64_t)timeout_ms);
  turn(ctx, UV_RUN_ONCE);
  if (timeout_ms >= 0)
    uv_timer_stop(&ctx->step_limit);
}

int beam_step(beam_ctx *ctx, int timeout_ms) {
  if (ctx->stepping || ctx->closing || beam__is_foreign(ctx))
    return BEAM_EINVALID;
  ctx->stepping = 1;
  uv_update_time(&ctx->loop);
  if (timeout_ms == 0 || !beam__list_empty(&ctx->tasks))
    poll_now(ctx);
  else
    wait_once(ctx, timeout_ms);
  ctx->stepping = 0;
  if (ctx->pollset)
    beam__pollset_arm(ctx->pollset, uv_now(&ctx->loop), due_in(ctx));
  return 0;
}

int beam_turn(beam_ctx *ctx) {
  if (ctx->stepping || ctx->closing || beam__is_foreign(ctx))
    return BEAM_EINVALID;
  ctx->stepping = 1;
  uv_update_time(&ctx->loop);
  if (!read_again(ctx))
    turn(ctx, UV_RUN_NOWAIT);
  ctx->stepping = 0;
  if (due_in(ctx) == 0)
    return 1;
  if (ctx->pollset)
    beam__pollset_arm(ctx->pollset, uv_now(&ctx->loop), due_in(ctx));
  return 0;
}

int beam_fd(beam_ctx *ctx) {
  if (beam__is_foreign(ctx))
    return BEAM_EINVALID;
  if (!ctx->pollset) {
    ctx->pollset = beam__pollset_new(&ctx->loop);
    beam__touch(ctx);
  }
  return ctx->pollset ? beam__pollset_fd(ctx->pollset) : BEAM_EINVALID;
}

/* libuv tells its descriptor of a new watcher only when the loop runs: so a call from outside makes it run at once. */
void beam__touch(beam_ctx *ctx) {
  if (ctx->pollset && !ctx->stepping)
    beam__pollset_arm(ctx->pollset, uv_now(&ctx->loop), 0);
}

void beam_wakeup(beam_ctx *ctx) {
  if (ctx->forks == beam__forks)
    uv_async_send(&ctx->wakeup);
}

uint64_t beam_now(const beam_ctx *ctx) { return uv_now(&ctx->loop); }

void beam_close(beam_ctx *ctx) {
  int turns;
  if (!ctx || beam__is_foreign(ctx)) /* its descriptors and its memory go with the process */
    return;
  ctx->closing = 1;
  while (!beam__list_empty(&ctx->owned)) {
    beam__owned *last = BEAM__CONTAINER(ctx->owned.prev, beam__owned, node);
    beam__list_remove(&last->node);
    last->destroy(last);
  }
  if (ctx->unfinished)
    return;
  beam__pollset_free(ctx->pollset);
  ctx->pollset = NULL;
  uv_close((uv_handle_t *)&ctx->step_limit, NULL);
  uv_close((uv_handle_t *)&ctx->wakeup, NULL);
  for (turns = 0; turns < TURNS_TO_CLOSE; turns++) {
    turn(ctx, UV_RUN_NOWAIT);
    if (uv_loop_close(&ctx->loop) == 0)
      break;
  }
  free(ctx->buffers);
  free(ctx);
}
