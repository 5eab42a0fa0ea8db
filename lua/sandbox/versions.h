/* Every difference between Lua 5.4 and 5.5 that the script host meets (docs/versions.md). */
#pragma once

#include <lauxlib.h>
#include <lua.h>

/* Where the hash part of a table is large, 5.5 has a pointer before its nodes (ltable.c, extraLastfree). */
#if LUA_VERSION_NUM >= 505
#define VERSIONS_BEFORE_NODES sizeof(void *)
#else
#define VERSIONS_BEFORE_NODES 0
#endif

/* What coroutine.close says of the main thread. (5.5 lets another one close itself; here it may not.) */
#define VERSIONS_MAIN_IS_NAMED (LUA_VERSION_NUM >= 505)

static inline lua_State *versions_new_state(lua_Alloc allocate, void *user) {
#if LUA_VERSION_NUM >= 505
  return lua_newstate(allocate, user, luaL_makeseed(NULL));
#else
  return lua_newstate(allocate, user);
#endif
}

/* One basic step of the collector; 1 if it ended a cycle. 5.5 reads a size_t there. */
static inline int versions_collect_step(lua_State *L) {
#if LUA_VERSION_NUM >= 505
  return lua_gc(L, LUA_GCSTEP, (size_t)0);
#else
  return lua_gc(L, LUA_GCSTEP, 0);
#endif
}

static inline int versions_close_thread(lua_State *coroutine, lua_State *from) {
#if LUA_VERSION_RELEASE_NUM >= 50406
  return lua_closethread(coroutine, from);
#else
  (void)from;
  return lua_resetthread(coroutine);
#endif
}

/* lua_numbertointeger, which 5.5 keeps to itself. */
static inline int versions_to_integer(lua_Number number, lua_Integer *integer) {
  if (!(number >= (lua_Number)LUA_MININTEGER && number < -(lua_Number)LUA_MININTEGER))
    return 0;
  *integer = (lua_Integer)number;
  return 1;
}
