/* What a signal does:
 *  1. the coroutine that runs, if one does, gets a hook that raises at its next instruction in the user's code: nothing
 * of ours is cut in two, for its cleanup waits;
 *  2. the event loop is woken, in case it waits, by uv_async_send, which libuv allows in a signal handler: after its
 * step beamlua/interruption.lua asks signals_ending and ends the waits of the other coroutines;
 *  3. where nobody turns the loop (the program starts or ends), the main thread gets a hook that raises at its next
 * call;
 *  4. a connection script that runs without limits may run nothing any more (in a coroutine of its own it runs on: the
 * second signal ends the process).
 *
 * At a prompt SIGINT does 1 and 2 only: the prompt lives on with the connections. */
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
static volatile sig_atomic_t driven;  /* the main thread turns the loop, and asks after each step */
static volatile sig_atomic_t owed;    /* nobody has been interrupted yet */
static int raises = LUA_NOREF;        /* a function that gives what is raised in a script */

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

/* Of a function that is neither C nor ours. */
static int is_of_the_user(lua_State *L, lua_Debug *frame) {
  lua_getinfo(L, "S", frame);
  return *frame->what != 'C' && strncmp(frame->source, "@beam/", 6) != 0 && strncmp(frame->source, "@beamlua/", 9) != 0;
}

/* That, or the function of ours in which a coroutine that is no task waits: at a prompt that may be left anywhere. */
static int may_be_left(lua_State *L, lua_Debug *frame) {
  static const char driver[] = "@beam/driver/waiting.lua", waiting[] = "turn_until_ready";
  lua_getinfo(L, "Sn", frame);
  if (strncmp(frame->source, driver, sizeof driver) == 0)
    return frame->name && strcmp(frame->name, waiting) == 0;
  return is_of_the_user(L, frame);
}

/* A line that catches the first one is given no instruction any more after the second. */
static void raise_in_line(lua_State *L, lua_Debug *frame) {
  if (!received)
    lua_sethook(L, NULL, 0, 0);
  else if (may_be_left(L, frame) && insists)
    luaL_error(L, "interrupted");
  else if (may_be_left(L, frame))
    raise_interrupted(L, frame);
}

/* Once, in the script that computes when the signal comes; what it does to clean up is not interrupted again. */
static void raise_in_script(lua_State *L, lua_Debug *frame) {
  if (owed && !is_of_the_user(L, frame))
    return;
  lua_sethook(L, NULL, 0, 0);
  if (!owed)
    return;
  owed = 0;
  if (raises == LUA_NOREF)
    luaL_error(L, "interrupted");
  lua_rawgeti(L, LUA_REGISTRYINDEX, raises);
  lua_call(L, 0, 1);
  lua_error(L);
}

static void set_action(void (*handler)(int number)) {
  static const int ignorable[] = {SIGHUP, SIGPIPE}; /* nohup */
  struct sigaction action, before;
  size_t i;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler; /* no SA_RESTART: a script that reads from a terminal is interrupted too */
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  for (i = 0; i < sizeof ignorable / sizeof *ignorable; i++)
    if (sigaction(ignorable[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
      sigaction(ignorable[i], &action, NULL);
}

static void hook_everywhere(lua_State *L, lua_Hook hook) {
  lua_sethook(L, hook, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

static void interrupt_line(lua_State *co) {
  if (co)
    hook_everywhere(co, raise_in_line);
  if (insists)
    set_action(SIG_DFL); /* a function in C that does not return: the third one ends the process */
}

static void interrupt_script(lua_State *co) {
  owed = 1;
  set_action(SIG_DFL);
  if (co)
    hook_everywhere(co, raise_in_script);
  if (!driven)
    lua_sethook(state, raise_interrupted, LUA_MASKCALL, 0);
  if (script && !lua_gethook(script)) /* else it has limits, which end it */
    lua_sethook(script, refuse_to_run, LUA_MASKCALL | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

static void on_signal(int number) {
  insists = at_prompt && received == SIGINT;
  received = number;
  if (at_prompt && number == SIGINT)
    interrupt_line(coroutines_running());
  else
    interrupt_script(coroutines_running());
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

int signals_ending(void) { return at_prompt && received == SIGINT ? 0 : received; }

void signals_delivered(void) { owed = 0; }

void signals_driven(int on) { driven = on; }

void signals_raise(lua_State *L) {
  luaL_unref(L, LUA_REGISTRYINDEX, raises);
  raises = luaL_ref(L, LUA_REGISTRYINDEX);
}

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
