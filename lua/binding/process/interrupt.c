/* Ctrl-C during a wait, in an interpreter whose handler of SIGINT sets a hook and no more (lua, luajit): the wait has
 * to end, so that the hook is run. libuv waits on after EINTR (1.44 to 1.51, uv__io_poll). So the handler that is there
 * is called by one of ours, which then wakes the loop.
 *
 * That costs four system calls. It is done for a wait that follows another in which nothing came; the first ends early
 * instead. */
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "binding.h"

enum { LONGEST_UNWATCHED = 100 /* ms */ };

/* The loop that waits with our handler in place: one of the process, as the handler is. */
static _Atomic(beam_ctx *) waiting;
static struct sigaction before;

static void on_interrupt(int number, siginfo_t *info, void *ucontext) {
  beam_ctx *ctx;
  if (before.sa_flags & SA_SIGINFO)
    before.sa_sigaction(number, info, ucontext);
  else
    before.sa_handler(number);
  ctx = atomic_load(&waiting);
  if (ctx)
    beam_wakeup(ctx);
}

static int is_function(const struct sigaction *action) {
  return action->sa_flags & SA_SIGINFO || (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN);
}

static int is_ours(const struct sigaction *action) {
  return action->sa_flags & SA_SIGINFO && action->sa_sigaction == on_interrupt;
}

/* Returns whether our handler is in place. */
static int begin(beam_ctx *ctx) {
  struct sigaction ours;
  beam_ctx *nobody = NULL;
  if (!atomic_compare_exchange_strong(&waiting, &nobody, ctx))
    return 0;
  if (sigaction(SIGINT, NULL, &before) == 0 && is_function(&before) && !is_ours(&before)) {
    memset(&ours, 0, sizeof ours);
    ours.sa_sigaction = on_interrupt;
    ours.sa_flags = before.sa_flags | SA_SIGINFO;
    ours.sa_mask = before.sa_mask;
    sigaction(SIGINT, &ours, NULL);
    return 1;
  }
  atomic_store(&waiting, NULL);
  return 0;
}

/* The interpreter's handler may have put another one in our place. */
static void end(void) {
  struct sigaction now;
  if (sigaction(SIGINT, NULL, &now) == 0 && is_ours(&now))
    sigaction(SIGINT, &before, NULL);
  atomic_store(&waiting, NULL);
}

static int step_watched(beam_ctx *ctx, int timeout) {
  int watched = begin(ctx), result = beam_step(ctx, timeout);
  if (watched)
    end();
  return result;
}

int interrupt_step(struct context *context, int timeout, int *early) {
  int is_long = timeout < 0 || timeout > LONGEST_UNWATCHED, result;
  uint64_t start = beam_now(context->beam);
  if (!is_long)
    return beam_step(context->beam, timeout);
  if (context->quiet) {
    context->quiet = 0;
    return step_watched(context->beam, timeout);
  }
  context->events = 0;
  result = beam_step(context->beam, LONGEST_UNWATCHED);
  *early = context->quiet = !context->events && beam_now(context->beam) - start >= LONGEST_UNWATCHED;
  return result;
}
