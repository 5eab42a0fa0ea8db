/* What a signal does:
 *  1. the coroutine that runs, if one does, gets a hook that raises "interrupted" at its next instruction;
 *  2. the main thread, which turns the event loop, gets one that raises at its next call: between two steps, not
 * within;
 *  3. a connection script that runs without limits may run nothing any more (in a coroutine of its own it runs on: the
 * second signal ends the process);
 *  4. the event loop is woken, in case it waits: by uv_async_send, which libuv allows in a signal handler.
 *
 * At a prompt SIGINT does 1 and 4 only, and 1 only where nothing of ours is cut in two: the prompt lives on with the
 * connections. */
#include "beamlua/process/signals.h"

#include <lauxlib.h>
#include <signal.h>
#include <string.h>

#include "beamlua/process/coroutines.h"

static lua_State *volatile state;
static lua_State *volatile script;
static volatile sig_atomic_t received;
static void (*volatile wake)(void *argument);
static void *volatile wake_argument;
static volatile sig_atomic_t at_prompt;
static volatile sig_atomic_t insists; /* the line was interrupted before, and goes on */

static void raise_interrupted(lua_State *L, lua_Debug *frame) {
  (void)frame;
  lua_sethook(L, NULL, 0, 0);
  luaL_error(L, "interrupted");
}

/* Stays: nothing of this script's runs any more. */
static void refuse_to_run(lua_State *L, lua_Debug *frame) {
  (void)frame;
  luaL_error(L, "interrupted");
}

/* A function of the user's, or the one of ours in which a coroutine that is no task waits: that may be left anywhere.
 */
static int may_be_left(lua_State *L, lua_Debug *frame) {
  static const char driver[] = "@beam/driver/reactor.lua", waiting[] = "turn_until_ready";
  lua_getinfo(L, "Sn", frame);
  if (strncmp(frame->source, driver, sizeof driver) == 0)
    return frame->name && strcmp(frame->name, waiting) == 0;
  return *frame->what != 'C' && strncmp(frame->source, "@beam/", 6) != 0 && strncmp(frame->source, "@beamlua/", 9) != 0;
}

/* A line that catches the first one is given no instruction any more after the second. */
static void raise_in_user_code(lua_State *L, lua_Debug *frame) {
  if (!received)
    lua_sethook(L, NULL, 0, 0);
  else if (may_be_left(L, frame) && insists)
    luaL_error(L, "interrupted");
  else if (may_be_left(L, frame))
    raise_interrupted(L, frame);
}

static void set_action(void (*handler)(int number)) {
  struct sigaction action, before;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler; /* no SA_RESTART: a script that reads from a terminal is interrupted too */
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  if (sigaction(SIGPIPE, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
    sigaction(SIGPIPE, &action, NULL);
}

static void on_signal(int number) {
  lua_State *co = coroutines_running();
  insists = at_prompt && received == SIGINT;
  received = number;
  if (at_prompt && number == SIGINT) {
    if (co)
      lua_sethook(co, raise_in_user_code, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
    if (insists)
      set_action(SIG_DFL); /* a function in C that does not return: the third one ends the process */
    if (wake)
      wake(wake_argument);
    return;
  }
  set_action(SIG_DFL);
  if (co)
    lua_sethook(co, raise_interrupted, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
  lua_sethook(state, raise_interrupted, LUA_MASKCALL, 0);
  if (script && !lua_gethook(script)) /* else it has limits, which end it */
    lua_sethook(script, refuse_to_run, LUA_MASKCALL | LUA_MASKLINE | LUA_MASKCOUNT, 1);
  if (wake)
    wake(wake_argument);
}

void signals_setup(lua_State *L) {
  state = L;
  set_action(on_signal);
}

void signals_restore(void) {
  set_action(SIG_DFL);
  wake = NULL;
}

int signals_received(void) { return received; }

void signals_note_script(lua_State *S) { script = S; }

void signals_interactive(int on) { at_prompt = on; }

void signals_forget(void) {
  received = 0;
  if (insists)
    set_action(on_signal);
  insists = 0;
}

int signals_watch(lua_State *L) {
  wake = NULL;
  wake_argument = lua_touserdata(L, 2);
  if (lua_islightuserdata(L, 1)) {
    void *function = lua_touserdata(L, 1);
    void (*typed)(void *argument);
    memcpy(&typed, &function, sizeof typed); /* POSIX: a function pointer fits into a void pointer */
    wake = typed;
  }
  return 0;
}
