/* Signals that a program asks for by beam.on_signal: the handler notes that one came and wakes the loop. One that comes
 * again before it was asked for does what it did before: so a program that hangs is still ended. */
#include <signal.h>
#include <string.h>

#include "binding.h"

enum { COUNT = 8 };

static const char *const names[COUNT + 1] = {"HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "WINCH", "CONT", NULL};
static const int numbers[COUNT] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT};

static struct {
  volatile sig_atomic_t is_caught, came;
  struct sigaction before;
} signals[COUNT];

static struct context *owner; /* handlers are the process's: one context has them */
static beam_ctx *volatile loop;

static int is_function(const struct sigaction *action) {
  return action->sa_flags & SA_SIGINFO || (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN);
}

/* Those that do nothing by default are only noted. */
static void do_as_before(int i, siginfo_t *info, void *ucontext) {
  const struct sigaction *action = &signals[i].before;
  if (action->sa_flags & SA_SIGINFO)
    action->sa_sigaction(numbers[i], info, ucontext);
  else if (is_function(action))
    action->sa_handler(numbers[i]);
  else if (action->sa_handler == SIG_DFL && numbers[i] != SIGWINCH && numbers[i] != SIGCONT) {
    sigaction(numbers[i], action, NULL);
    raise(numbers[i]); /* blocked now: it ends the process when this handler returns */
  }
}

static void on_signal(int number, siginfo_t *info, void *ucontext) {
  int i;
  for (i = 0; i < COUNT && numbers[i] != number; i++)
    ;
  if (i == COUNT) /* only those are caught */
    return;
  if (signals[i].came)
    do_as_before(i, info, ucontext);
  signals[i].came = 1;
  if (loop)
    beam_wakeup(loop);
}

static void catch (int i) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigemptyset(&action.sa_mask);
  signals[i].came = 0;
  signals[i].is_caught = 1;
  sigaction(numbers[i], &action, &signals[i].before);
}

/* What has taken our handler's place meanwhile stays. */
static void release(int i) {
  struct sigaction now;
  if (!signals[i].is_caught)
    return;
  if (sigaction(numbers[i], NULL, &now) == 0 && now.sa_flags & SA_SIGINFO && now.sa_sigaction == on_signal)
    sigaction(numbers[i], &signals[i].before, NULL);
  signals[i].is_caught = signals[i].came = 0;
}

void signal_end(struct context *context) {
  int i;
  if (owner != context)
    return;
  for (i = 0; i < COUNT; i++)
    release(i);
  loop = NULL;
  owner = NULL;
}

int signal_catch(lua_State *L) {
  struct context *context = context_check(L);
  int i = luaL_checkoption(L, 2, NULL, names);
  if (!context)
    return context_closed(L);
  if (owner && owner != context)
    return result_code(L, BEAM_EINVALID, BEAM_PHASE_NONE, "another event loop of this process has its signals");
  owner = context;
  loop = context->beam;
  if (!signals[i].is_caught)
    catch (i);
  lua_pushboolean(L, 1);
  return 1;
}

int signal_release(lua_State *L) {
  struct context *context = context_check(L);
  int i = luaL_checkoption(L, 2, NULL, names);
  if (context && owner == context)
    release(i);
  return 0;
}

int signal_caught(lua_State *L) {
  struct context *context = context_check(L);
  int i;
  for (i = 0; context && owner == context && i < COUNT; i++)
    if (signals[i].came) {
      signals[i].came = 0;
      lua_pushstring(L, names[i]);
      return 1;
    }
  return 0;
}
