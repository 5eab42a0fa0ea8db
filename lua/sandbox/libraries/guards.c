/* pcall, xpcall, coroutines, metatables: what could hold a stop, run where no hook does, or have the collector run for
 * minutes. */
#include "sandbox/libraries/guards.h"

#include <lauxlib.h>

#include "sandbox/limits/limits.h"
#include "sandbox/versions.h"

enum { CREATE_CHARGE = 100, ENTER_CHARGE = 20, DATE_CHARGE = 100, LONGEST_DATE = 1000 };

/* ---- pcall, xpcall ---- */

static int is_error(int status) { return status != LUA_OK && status != LUA_YIELD; }

/* `before`: values on the stack that are not results. */
static int finish_pcall(lua_State *L, int status, lua_KContext before) {
  limits_reraise(L);
  if (!is_error(status))
    return lua_gettop(L) - (int)before;
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

static int guarded_pcall(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushboolean(L, 1);
  lua_insert(L, 1);
  return finish_pcall(L, lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, finish_pcall), 0);
}

enum { HANDLER = 1 };

/* The handler runs after the error was unwound: Lua would run it on top, where hooks may be off and its errors call it
 * again. */
static int finish_xpcall(lua_State *L, int status, lua_KContext before) {
  limits_reraise(L);
  if (!is_error(status))
    return lua_gettop(L) - (int)before;
  if (!lua_rawequal(L, HANDLER, lua_upvalueindex(1))) { /* debug.traceback has run already */
    lua_pushvalue(L, HANDLER);
    lua_insert(L, -2);
    lua_pcall(L, 1, 1, 0);
    limits_reraise(L);
  }
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

/* The only handler that has to run on top of the error. */
static int trace(lua_State *L) {
  if (!limits_of(L)->stopped && lua_type(L, 1) == LUA_TSTRING)
    luaL_traceback(L, L, lua_tostring(L, 1), 1);
  return 1;
}

static int guarded_xpcall(lua_State *L) {
  int traced = lua_rawequal(L, 2, lua_upvalueindex(1)), count = lua_gettop(L) - 2;
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_pushvalue(L, 1);
  lua_insert(L, 3);
  lua_copy(L, 2, HANDLER);
  if (traced) {
    lua_pushcfunction(L, trace);
    lua_replace(L, 2);
  }
  lua_pushboolean(L, 1);
  lua_insert(L, 3); /* handler, trace, true, function, arguments */
  return finish_xpcall(L, lua_pcallk(L, count, LUA_MULTRET, traced ? 2 : 0, 2, finish_xpcall), 2);
}

/* ---- Coroutines ---- */

static int is_dead(lua_State *coroutine) {
  lua_Debug frame;
  return lua_status(coroutine) == LUA_OK && !lua_getstack(coroutine, 0, &frame) && lua_gettop(coroutine) == 0;
}

static int is_running(lua_State *coroutine) {
  lua_Debug frame;
  return lua_status(coroutine) == LUA_OK && lua_getstack(coroutine, 0, &frame);
}

/* Around what runs in a coroutine; each level takes C stack, which Lua 5.4.4 does not count when it closes one
 * (docs/versions.md). */
static lua_State *descend(lua_State *L, lua_State *coroutine) {
  struct limits *limits = limits_of(L);
  lua_State *outer = limits->running;
  limits_charge(L, ENTER_CHARGE);
  if (limits->depth >= LIMITS_COROUTINES)
    luaL_error(L, "C stack overflow");
  limits->depth++;
  limits->running = coroutine;
  return outer;
}

static void ascend(lua_State *L, lua_State *coroutine, lua_State *outer) {
  struct limits *limits = limits_of(L);
  limits->depth--;
  limits->running = outer;
  if (!limits->stopped)
    return;
  limits_mark_stopped(coroutine);
  limits_reraise(L);
}

/* Runs it with `count` arguments from the top of L. Its results, or the error object, are then on top of L: their
 * number, or -1. */
static int enter(lua_State *L, lua_State *coroutine, int count) {
  lua_State *outer;
  int status, results;
  if (is_dead(coroutine) || !lua_checkstack(coroutine, count)) {
    lua_pushstring(L, is_dead(coroutine) ? "cannot resume dead coroutine" : "too many arguments to resume");
    return -1;
  }
  outer = descend(L, coroutine);
  lua_xmove(L, coroutine, count);
  status = lua_resume(coroutine, L, count, &results);
  ascend(L, coroutine, outer);
  if (is_error(status)) {
    lua_xmove(coroutine, L, 1);
    return -1;
  }
  if (!lua_checkstack(L, results + 1)) {
    lua_pop(coroutine, results);
    lua_pushstring(L, "too many results to resume");
    return -1;
  }
  lua_xmove(coroutine, L, results);
  return results;
}

static lua_State *check_coroutine(lua_State *L) {
  lua_State *coroutine = lua_tothread(L, 1);
  luaL_argexpected(L, coroutine, 1, "coroutine");
  return coroutine;
}

static int guarded_resume(lua_State *L) {
  int results = enter(L, check_coroutine(L), lua_gettop(L) - 1);
  lua_pushboolean(L, results >= 0);
  lua_insert(L, results < 0 ? -2 : -(results + 1));
  return results < 0 ? 2 : results + 1;
}

static int guarded_create(lua_State *L) {
  lua_State *coroutine;
  luaL_checktype(L, 1, LUA_TFUNCTION);
  limits_charge(L, CREATE_CHARGE);
  coroutine = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, coroutine, 1);
  return 1;
}

/* The results of closing it, on top of L: true, or false and its error. */
static int close_coroutine(lua_State *L, lua_State *coroutine) {
  lua_State *outer;
  int status;
  if (limits_was_stopped(coroutine)) {
    lua_pushboolean(L, 0);
    lua_pushliteral(L, "it was stopped by its limits");
    return 2;
  }
  outer = descend(L, coroutine);
  status = versions_close_thread(coroutine, L);
  ascend(L, coroutine, outer);
  lua_pushboolean(L, status == LUA_OK);
  if (status == LUA_OK)
    return 1;
  lua_xmove(coroutine, L, 1);
  return 2;
}

static int guarded_close(lua_State *L) {
  lua_State *coroutine = check_coroutine(L);
  if (VERSIONS_MAIN_IS_NAMED && coroutine == L && lua_pushthread(L))
    return luaL_error(L, "cannot close main thread");
  if (coroutine == L || is_running(coroutine))
    return luaL_error(L, "cannot close a %s coroutine", coroutine == L ? "running" : "normal");
  return close_coroutine(L, coroutine);
}

static int call_wrapped(lua_State *L) {
  lua_State *coroutine = lua_tothread(L, lua_upvalueindex(1));
  int results = enter(L, coroutine, lua_gettop(L));
  if (results >= 0)
    return results;
  if (is_error(lua_status(coroutine)) && close_coroutine(L, coroutine) == 1)
    lua_pop(L, 1);
  return lua_error(L);
}

static int guarded_wrap(lua_State *L) {
  guarded_create(L);
  lua_pushcclosure(L, call_wrapped, 1);
  return 1;
}

/* ---- Metatables ---- */

/* A finalizer runs without hooks; weak keys: collector.c. */
static int guarded_setmetatable(lua_State *L) {
  int type = lua_type(L, 2);
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
    return luaL_error(L, "cannot change a protected metatable");
  lua_settop(L, 2);
  if (type == LUA_TTABLE) {
    lua_pushliteral(L, "__gc");
    if (lua_rawget(L, 2) != LUA_TNIL)
      return luaL_error(L, "finalizers (__gc) are not available to this script");
    lua_pushliteral(L, "__mode");
    lua_rawget(L, 2);
    if (limits_weak_keys(L, -1))
      return luaL_error(L, "weak keys (__mode = \"k\") are not available to this script");
    limits_add_metatable(L, 2);
    lua_settop(L, 2);
  }
  lua_setmetatable(L, 1);
  return 1;
}

/* ---- os.date ---- */

/* It formats for as long as its format is, without a look at the clock. */
static int guarded_date(lua_State *L) {
  size_t len;
  lua_CFunction date = lua_tocfunction(L, lua_upvalueindex(1));
  luaL_optlstring(L, 1, "", &len);
  luaL_argcheck(L, len <= LONGEST_DATE, 1, "format too long");
  limits_charge(L, DATE_CHARGE);
  return date(L);
}

/* ---- Setup ---- */

static void push_traceback(lua_State *L) {
  if (lua_getglobal(L, "debug") == LUA_TTABLE)
    lua_getfield(L, -1, "traceback");
  else
    lua_pushnil(L);
  lua_remove(L, -2);
}

void guards_setup(lua_State *L) {
  static const luaL_Reg base[] = {{"pcall", guarded_pcall}, {"setmetatable", guarded_setmetatable}, {NULL, NULL}};
  static const luaL_Reg coroutines[] = {{"close", guarded_close},
                                        {"create", guarded_create},
                                        {"resume", guarded_resume},
                                        {"wrap", guarded_wrap},
                                        {NULL, NULL}};
  lua_pushglobaltable(L);
  luaL_setfuncs(L, base, 0);
  push_traceback(L);
  lua_pushcclosure(L, guarded_xpcall, 1);
  lua_setfield(L, -2, "xpcall");
  lua_getfield(L, -1, "coroutine");
  luaL_setfuncs(L, coroutines, 0);
  lua_getglobal(L, "os");
  lua_getfield(L, -1, "date");
  lua_pushcclosure(L, guarded_date, 1);
  lua_setfield(L, -2, "date");
  lua_pop(L, 3);
}
