#include "compat.h"

/* For native.lua, which reads it in the file where the module cannot even be loaded. Of the macros only this one is a
 * text in each Lua (5.5 calculates LUA_VERSION_NUM). */
__attribute__((used)) static const char built_for[] = "built with the headers of " LUA_VERSION;

/* luaopen_ is called with the module's name and, from 5.2 on, the path of its file. */
void compat_check_version(lua_State *L, const char *module) {
#if LUA_VERSION_NUM >= 504
  int here = (int)lua_version(L);
  if (here != LUA_VERSION_NUM)
    luaL_error(L, "%s was built for Lua %d.%d, and this is Lua %d.%d",
               lua_type(L, 2) == LUA_TSTRING ? lua_tolstring(L, 2, NULL) : module, LUA_VERSION_NUM / 100,
               LUA_VERSION_NUM % 100, here / 100, here % 100);
#else
  (void)L, (void)module;
#endif
}

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
