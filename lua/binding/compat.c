#include "compat.h"

#if LUA_VERSION_NUM < 502

static int without_traceback(lua_State *L) {
  lua_settop(L, 1);
  return 1;
}

/* Plain Lua 5.1 has no luaL_traceback: debug.traceback does the same, where the debug library is loaded. */
void compat_push_traceback(lua_State *L) {
  int top = lua_gettop(L);
  lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
  lua_getfield(L, -1, "debug");
  if (lua_istable(L, -1))
    lua_getfield(L, -1, "traceback");
  if (!lua_isfunction(L, -1))
    lua_pushcfunction(L, without_traceback);
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
