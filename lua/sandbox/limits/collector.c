/* Lua's incremental collector, in steps of the same size as its own, one for each 8 KiB that were allocated; a cycle
 * begins when the heap has doubled.
 *
 * Weak keys. A table whose keys only are weak (an ephemeron) is gone through again whenever something in another one
 * turned out to be alive. A chain through n of its entries takes n^2 / 2 looks, in one step of the collector (lgc.c,
 * convergeephemerons), in which no hook runs: minutes, for 16 MiB. setmetatable refuses them; a `__mode` that is set
 * later is found here. */
#include "sandbox/limits/collector.h"
#include "sandbox/versions.h"

#include <lauxlib.h>
#include <string.h>

enum {
  STEP_BYTES = 8192,
  MOST_STEPS = 8,
  LEAST_HEAP = 1 << 18, /* not collected before it has grown beyond that */
  WATCHED = 1,          /* on the watcher's stack: the metatables, as keys, */
  MODE = 2              /* and "__mode" */
};

int limits_weak_keys(lua_State *L, int index) {
  const char *mode = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
  return strchr(mode, 'k') && !strchr(mode, 'v');
}

void limits_add_metatable(lua_State *L, int index) {
  lua_State *watcher = limits_of(L)->watcher;
  int known;
  if (!watcher)
    return;
  index = lua_absindex(L, index);
  luaL_checkstack(L, 4, NULL);
  lua_pushvalue(watcher, WATCHED);
  lua_xmove(watcher, L, 1);
  lua_pushvalue(L, index);
  known = lua_rawget(L, -2) != LUA_TNIL;
  lua_pop(L, 1);
  if (!known) {
    lua_pushvalue(L, index);
    lua_pushboolean(L, 1);
    lua_rawset(L, -3);
  }
  lua_pop(L, 1);
}

int collector_unweaken(struct limits *limits) {
  lua_State *watcher = limits->watcher;
  int found = 0;
  if (!watcher)
    return 0;
  lua_settop(watcher, MODE);
  lua_pushnil(watcher);
  while (lua_next(watcher, WATCHED)) {
    lua_pop(watcher, 1);
    lua_pushvalue(watcher, MODE);
    lua_rawget(watcher, -2);
    if (limits_weak_keys(watcher, -1)) {
      lua_pushvalue(watcher, MODE);
      lua_pushnil(watcher);
      lua_rawset(watcher, -4); /* the key is there: nothing is allocated */
      found++;
    }
    lua_pop(watcher, 1);
  }
  return found;
}

/* A table with weak keys and values: its values are `true`, so it is gone through once. */
static void push_watched(lua_State *L) {
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "kv");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
}

void collector_take_over(lua_State *L) {
  struct limits *limits = limits_of(L);
  lua_State *watcher = lua_newthread(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, watcher);
  push_watched(L);
  lua_pushliteral(L, "__mode");
  lua_xmove(L, watcher, 2);
  limits->watcher = watcher;
  lua_gc(L, LUA_GCCOLLECT);
  lua_gc(L, LUA_GCSTOP);
  limits->threshold = limits->memory.used + LEAST_HEAP;
}

/* The next cycle: when the heap has doubled, or half of what is left is used. */
static size_t next_threshold(const struct limits *limits) {
  size_t used = limits->memory.used, grow = used > LEAST_HEAP ? used : LEAST_HEAP;
  size_t left = limits->bytes > used ? limits->bytes - used : 0;
  if (limits->bytes && grow > left / 2)
    grow = left / 2;
  return used + grow;
}

void collector_step(lua_State *L) {
  struct limits *limits = limits_of(L);
  size_t grown, steps;
  if (!limits->watcher || (!limits->collecting && limits->memory.used < limits->threshold))
    return;
  if (!limits->collecting)
    limits->collected_at = limits->memory.used - STEP_BYTES;
  grown = limits->memory.used > limits->collected_at ? limits->memory.used - limits->collected_at : 0;
  steps = grown / STEP_BYTES;
  limits->collecting = 1;
  if (!steps)
    return;
  if (collector_unweaken(limits))
    luaL_error(L, "weak keys (__mode = \"k\") are not available to this script");
  for (steps = steps < MOST_STEPS ? steps : MOST_STEPS; steps && limits->collecting; steps--)
    limits->collecting = !versions_collect_step(L);
  limits->collected_at = limits->memory.used;
  if (!limits->collecting)
    limits->threshold = next_threshold(limits);
}
