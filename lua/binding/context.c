/* beam.context: a beam_ctx, its steps and its end. */
#include <limits.h>
#include <string.h>
#include <time.h>

#include "binding.h"

/* ---- Making one ---- */

struct context_options {
  beam_options beam;
  int log; /* index in the anchor, 0: none */
};

static const struct field fields[] = {
    {"log", read_function, offsetof(struct context_options, log), 0, NULL},
    {"log_level", read_choice, offsetof(struct context_options, beam.log_level), 0, log_levels},
    {"connections", read_count, offsetof(struct context_options, beam.connections), 0, NULL},
    {NULL, NULL, 0, 0, NULL}};

/* luaL_unref must not allocate, for it runs where an error would leave things half done. It does not once the end of
 * its list of free places is a number: up to Lua 5.3 that is at 0 and nil until set; 5.4 makes one when luaL_ref is
 * first called. */
static void push_live(lua_State *L) {
  int place;
  lua_newtable(L);
  lua_pushinteger(L, 0);
  lua_rawseti(L, -2, 0);
  lua_pushboolean(L, 1);
  place = luaL_ref(L, -2);
  luaL_unref(L, -1, place);
}

static struct context *push_context(lua_State *L) {
  struct context *context = lua_newuserdata(L, sizeof *context);
  memset(context, 0, sizeof *context);
  context->last_line = &context->lines;
  context->log = LUA_NOREF;
  luaL_getmetatable(L, CONTEXT_CLASS);
  lua_setmetatable(L, -2);
  push_live(L);
  lua_setuservalue(L, -2);
  return context;
}

int context_new(lua_State *L) {
  struct context_options options = {{.log_level = BEAM_LOG_WARNING}, 0};
  struct context *context;
  int code;
  lua_settop(L, 1);
  if (!lua_isnil(L, 1))
    options_read(L, 1, fields, &options);
  context = push_context(L);
  if (options.log) {
    lua_getuservalue(L, -1);
    lua_rawgeti(L, 2, options.log);
    context->log = luaL_ref(L, -2);
    lua_pop(L, 1);
    options.beam.log = log_keep;
    options.beam.user = context;
  }
  code = beam_new(&context->beam, &options.beam);
  if (code)
    return result_code(L, code, BEAM_PHASE_NONE, "no event loop could be made: out of memory or of descriptors");
  return 1;
}

/* ---- Its end ---- */

static int is_open(const struct context *context) { return context->beam && !context->closing; }

static void end_loop(lua_State *L, struct context *context, int live) {
  signal_end(context);
  beam_close(context->beam);
  context->beam = NULL;
  object_free_finished(L, context, live);
}

/* Inside an event function libbeam cannot be closed: objects end at once, the loop at the end of the step. */
static void end(lua_State *L, struct context *context, int live) {
  context->closing = 1;
  object_finish_all(L, context, live);
  if (!context->stepping)
    end_loop(L, context, live);
}

/* A context that is collected while it steps belongs to a state that an event function closes (os.exit(0, true)): what
 * libbeam still holds then goes with the process. */
static int collect(lua_State *L) {
  struct context *context = luaL_checkudata(L, 1, CONTEXT_CLASS);
  lua_settop(L, 1);
  lua_getuservalue(L, 1);
  if (is_open(context))
    end(L, context, 2);
  if (!context->stepping)
    log_end(L, context, 2);
  return 0;
}

static int raise_failure(lua_State *L) { return lua_isnil(L, -1) ? 0 : lua_error(L); }

static int close_context(lua_State *L) {
  struct context *context = luaL_checkudata(L, 1, CONTEXT_CLASS);
  if (!is_open(context))
    return 0;
  lua_settop(L, 1);
  lua_getuservalue(L, 1);
  end(L, context, 2);
  if (context->stepping)
    return 0;
  event_enter(L, context);
  log_flush(context);
  log_end(L, context, FRAME_LIVE);
  event_leave(L, context);
  return raise_failure(L);
}

/* ---- Steps ---- */

static int step_timeout(lua_State *L, int argument) {
  lua_Number seconds = luaL_optnumber(L, argument, 0);
  if (seconds < 0 || seconds * 1000 >= INT_MAX)
    return -1;
  lua_settop(L, argument - 1);
  lua_pushnumber(L, seconds);
  return (int)check_milliseconds(L, argument);
}

enum { TURN = INT_MIN }; /* in the place of a time-out: beam_turn */

/* Pushes what beam_step or beam_turn returns; with `arrivals` whether one message in them is all there is to tell. */
static int run(lua_State *L, struct context *context, int timeout, struct arrivals *arrivals) {
  int result, early = 0, one = 0;
  if (!context)
    return context_closed(L);
  if (context->stepping)
    return luaL_error(L, "ctx:step was called from inside an event function");
  event_enter(L, context);
  context->called = 0;
  result = timeout == TURN ? beam_turn(context->beam) : interrupt_step(context, timeout, &early);
  if (arrivals && !context->called && !context->lines)
    one = arrivals_told_one(context, arrivals);
  arrivals_tell_all(context);
  log_flush(context);
  if (context->closing)
    end_loop(L, context, FRAME_LIVE);
  if (context->closing)
    log_end(L, context, FRAME_LIVE);
  object_free_finished(L, context, FRAME_LIVE);
  event_leave(L, context);
  raise_failure(L);
  if (result == BEAM_EINVALID)
    return luaL_error(L, CONTEXT_FOREIGN);
  lua_pushboolean(L, timeout == TURN ? result == 1 : !early);
  if (!arrivals)
    return 1;
  lua_pushboolean(L, one);
  return 2;
}

static struct context *check_open(lua_State *L, int upvalue) {
  struct context *context = class_check(L, 1, upvalue, CONTEXT_CLASS);
  return is_open(context) ? context : NULL;
}

/* step(timeout, arrivals) */
static int step(lua_State *L) {
  struct context *context = check_open(L, EVENT_METATABLE);
  struct arrivals *arrivals = lua_isnoneornil(L, 3) ? NULL : arrivals_check(L, 3);
  return run(L, context, step_timeout(L, 2), arrivals);
}

/* turn(nil, arrivals) */
static int turn(lua_State *L) {
  struct context *context = check_open(L, EVENT_METATABLE);
  return run(L, context, TURN, lua_isnoneornil(L, 3) ? NULL : arrivals_check(L, 3));
}

/* ---- The rest ---- */

struct context *context_check(lua_State *L) {
  return check_open(L, 1);
}

int context_closed(lua_State *L) { return result_code(L, BEAM_ECLOSED, BEAM_PHASE_CLOSED, "the context is closed"); }

static int fd(lua_State *L) {
  struct context *context = context_check(L);
  int descriptor;
  if (!context)
    return context_closed(L);
  descriptor = beam_fd(context->beam);
  if (descriptor < 0)
    return result_code(L, descriptor, BEAM_PHASE_NONE, "the system has no descriptor left, or " CONTEXT_FOREIGN);
  lua_pushinteger(L, descriptor);
  return 1;
}

static int wakeup(lua_State *L) {
  struct context *context = context_check(L);
  if (!context)
    return context_closed(L);
  beam_wakeup(context->beam);
  return 0;
}

static void wake_from_outside(void *beam) { beam_wakeup(beam); }

/* For a host whose signal handler has to end a wait: void (*)(void *) and its argument, as light userdata. */
static int waker(lua_State *L) {
  struct context *context = context_check(L);
  void (*function)(void *beam) = wake_from_outside;
  void *untyped;
  if (!context)
    return context_closed(L);
  memcpy(&untyped, &function, sizeof untyped);
  lua_pushlightuserdata(L, untyped);
  lua_pushlightuserdata(L, context->beam);
  return 2;
}

/* beam_now stands still between steps, and Linux's CLOCK_MONOTONIC while the machine is suspended: who comes back from
 * that has to be able to tell. Elsewhere the monotonic clock itself goes on. */
#ifdef CLOCK_BOOTTIME
#define NOW_CLOCK CLOCK_BOOTTIME
#else
#define NOW_CLOCK CLOCK_MONOTONIC
#endif

static int now(lua_State *L) {
  struct timespec time;
  class_check(L, 1, 1, CONTEXT_CLASS);
  clock_gettime(NOW_CLOCK, &time);
  lua_pushnumber(L, (lua_Number)time.tv_sec + (lua_Number)time.tv_nsec / 1e9);
  return 1;
}

static int to_string(lua_State *L) {
  struct context *context = luaL_checkudata(L, 1, CONTEXT_CLASS);
  lua_pushfstring(L, CONTEXT_CLASS " (%s)", is_open(context) ? "open" : "closed");
  return 1;
}

static const luaL_Reg methods[] = {{"fd", fd},
                                   {"wakeup", wakeup},
                                   {"waker", waker},
                                   {"now", now},
                                   {"timer", timer_new},
                                   {"read", read_new},
                                   {"websocket", websocket_new},
                                   {"http", http_new},
                                   {"send", http_send},
                                   {"server", server_new},
                                   {"catch_signal", signal_catch},
                                   {"release_signal", signal_release},
                                   {"caught_signal", signal_caught},
                                   {NULL, NULL}};

static const luaL_Reg metamethods[] = {{"__gc", collect}, {"__tostring", to_string}, {NULL, NULL}};

void context_setup(lua_State *L) {
  class_new(L, CONTEXT_CLASS, methods);
  event_method(L, "step", step);
  event_method(L, "turn", turn);
  event_method(L, "close", close_context);
  lua_getfield(L, -1, "close");
  lua_setfield(L, -3, "__close");
  lua_pop(L, 1);
  class_methods(L, metamethods);
  lua_pop(L, 1);
}
