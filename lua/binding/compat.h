/* Every difference between Lua 5.1, LuaJIT, 5.3, 5.4 and 5.5 that the binding meets stands here and in compat.c. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

#if LUA_VERSION_NUM < 502
/* LuaJIT has it, Lua 5.1 has not. Both look in the same folders: what is built for one serves the other. */
extern int lua_isyieldable(lua_State *L) __attribute__((weak));
#endif

#pragma GCC visibility push(hidden)

#if LUA_VERSION_NUM < 502
/* A userdata's one value must be a table there: its environment. */
#define lua_getuservalue(L, index) lua_getfenv((L), (index))
#define lua_setuservalue(L, index) lua_setfenv((L), (index))
#define lua_rawlen(L, index) lua_objlen((L), (index))
#endif

/* Whether the running coroutine can yield here; where Lua does not know (5.1), 1. */
#if LUA_VERSION_NUM < 502
#define compat_is_yieldable(L) (!lua_isyieldable || lua_isyieldable(L))
#else
#define compat_is_yieldable(L) lua_isyieldable(L)
#endif

/* Raises if this is not the Lua that the module was built for; first of all in luaopen_. Where symbols are missing, the
 * system's loader has refused it already; 5.4 and 5.5 have the same ones. */
void compat_check_version(lua_State *L, const char *module);

/* Pushes the message handler of a protected call: it adds a traceback to an error that is a string. */
void compat_push_traceback(lua_State *L);

#pragma GCC visibility pop
