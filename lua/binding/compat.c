#include "compat.h"

#if LUA_VERSION_NUM < 502

/* Lua 5.1 has no luaL_traceback (LuaJIT has): debug.traceback does the same, where the debug library is loaded. It is
 * the upvalue; errors that are no strings are none of its business (it would turn a number into a string). */
static int with_traceback(lua_State *L) {
  lua_settop(L, 1);
  if (lua_type(L, 1) != LUA_TSTRING || !lua_isfunction(L, lua_upvalueindex(1)))
    return 1;
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_pushinteger(L, 2);
  lua_call(L, 2, 1);
  return 1;
}

void compat_push_traceback(lua_State *L) {
  int top = lua_gettop(L);
  lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
  lua_getfield(L, -1, "debug");
  if (lua_istable(L, -1))
    lua_getfield(L, -1, "traceback");
  lua_pushcclosure(L, with_traceback, 1);
  lua_replace(L, top + 1);
  lua_settop(L, top + 1);
}

#else

static int with_traceback(lua_State *L) {
  if (lua_type(L, 1) == LUA_TSTRING)
    luaL_traceback(L, L, lua_tostring(L, 1), 1);
  return 1;
}

void compat_push_traceback(lua_State *L) { lua_pushcfunction(L, with_traceback); }

#endif
