/* A hook is a coroutine's own, and Lua does not tell a signal handler which coroutine runs. So resume and wrap, the two
 * ways to enter one, write it down. Otherwise they are as in Lua 5.4. */
#include "beamlua/process/coroutines.h"

#include <lauxlib.h>

#if LUA_VERSION_NUM < 504

/* The rock's beamlua on an older Lua: a coroutine that computes is not interrupted by the first Ctrl-C, but by the
 * second, with the process. */
lua_State *coroutines_running(void) { return NULL; }

void coroutines_setup(lua_State *L) { (void)L; }

#else

#include "sandbox/versions.h"

static lua_State *volatile running;

lua_State *coroutines_running(void) { return running; }

static int is_dead(lua_State *co) {
  lua_Debug frame;
  return lua_status(co) == LUA_OK && !lua_getstack(co, 0, &frame) && lua_gettop(co) == 0;
}

/* Moves `count` arguments from the top of L to co and runs it. The results, or the error object, are then on top of L:
 * their number, or -1 for an error. */
static int enter(lua_State *L, lua_State *co, int count) {
  lua_State *outer = running;
  int status, results;
  if (is_dead(co) || !lua_checkstack(co, count)) {
    lua_pushstring(L, is_dead(co) ? "cannot resume dead coroutine" : "too many arguments to resume");
    return -1;
  }
  lua_xmove(L, co, count);
  running = co;
  status = lua_resume(co, L, count, &results);
  running = outer;
  if (status != LUA_OK && status != LUA_YIELD) {
    lua_xmove(co, L, 1);
    return -1;
  }
  if (!lua_checkstack(L, results + 1)) {
    lua_pop(co, results);
    lua_pushstring(L, "too many results to resume");
    return -1;
  }
  lua_xmove(co, L, results);
  return results;
}

/* coroutine.resume(co, ...) -> true, ... | false, err */
static int resume(lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  int results;
  luaL_argexpected(L, co, 1, "coroutine");
  results = enter(L, co, lua_gettop(L) - 1);
  lua_pushboolean(L, results >= 0);
  lua_insert(L, results < 0 ? -2 : -(results + 1));
  return results < 0 ? 2 : results + 1;
}

/* Errors pass through a wrapped coroutine; it is closed then, and a text says where it happened. */
static int rethrow(lua_State *L, lua_State *co) {
  int status = lua_status(co);
  if (status != LUA_OK && status != LUA_YIELD && versions_close_thread(co, L) != LUA_OK) {
    lua_pop(L, 1);
    lua_xmove(co, L, 1); /* what its to-be-closed variables made of the error */
  }
  if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

static int call_wrapped(lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  int results = enter(L, co, lua_gettop(L));
  return results < 0 ? rethrow(L, co) : results;
}

static int wrap(lua_State *L) {
  lua_State *co;
  luaL_checktype(L, 1, LUA_TFUNCTION);
  co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  lua_pushcclosure(L, call_wrapped, 1);
  return 1;
}

void coroutines_setup(lua_State *L) {
  static const luaL_Reg functions[] = {{"resume", resume}, {"wrap", wrap}, {NULL, NULL}};
  lua_getglobal(L, "coroutine");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}

#endif
