/* Lua hashes numbers without a seed (ltable.c, mainposition): integers by the remainder, floats by 31 bits of their
 * fraction. Who chooses them can have a whole table be one chain; when it grows, each key is inserted anew by a walk
 * along the chain, all in one instruction: minutes, for a few MiB. So when a hash part of some size is about to be
 * made, the tables that the running function can mean are looked at, with the hash that the new part will have. Strings
 * are hashed with a seed, which the script does not know. */
#include "sandbox/limits/collisions.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "sandbox/limits/collector.h"
#include "sandbox/versions.h"

enum {
  NODE_BYTES = 24, /* lobject.h, union Node */
  LEAST_NODES = 2048,
  LONGEST_CHAIN = 128,
  TABLE = 3, /* on the watcher's stack, above what the collector has there */
  MOST_TABLES = 1024
};

struct chains {
  size_t nodes;
  unsigned char *lengths; /* for each node: how many keys belong there */
};

struct look {
  size_t nodes;
  const void *seen[MOST_TABLES];
  int count;
};

static unsigned hash_float(lua_Number n) {
  int exponent;
  lua_Integer fraction;
  unsigned bits;
  n = frexp(n, &exponent) * -(lua_Number)INT_MIN;
  if (!versions_to_integer(n, &fraction))
    return 0;
  bits = (unsigned)exponent + (unsigned)fraction;
  return bits <= INT_MAX ? bits : ~bits;
}

/* Counts the key on top of the stack; true if its chain is too long. Light userdata are the integer constants of a
 * chunk that is being compiled (lcode.c, luaK_intK). */
static int add_key(struct chains *chains, lua_State *L) {
  size_t divisor = (chains->nodes - 1) | 1, node;
  int type = lua_type(L, -1);
  if (type == LUA_TLIGHTUSERDATA)
    node = (unsigned)(uintptr_t)lua_touserdata(L, -1) % divisor;
  else if (type == LUA_TNUMBER && lua_isinteger(L, -1))
    node = (lua_Unsigned)lua_tointeger(L, -1) % divisor;
  else if (type == LUA_TNUMBER)
    node = hash_float(lua_tonumber(L, -1)) % divisor;
  else
    return 0;
  return ++chains->lengths[node] > LONGEST_CHAIN;
}

int collisions_in(lua_State *L, int table, size_t nodes) {
  struct chains chains = {nodes, calloc(nodes, 1)};
  int top = lua_gettop(L), found = 0;
  if (!chains.lengths)
    return 0;
  lua_pushnil(L);
  while (!found && lua_next(L, table)) {
    lua_pop(L, 1);
    found = add_key(&chains, L);
  }
  lua_settop(L, top);
  free(chains.lengths);
  return found;
}

/* Replaces the table by the one that its metatable forwards new keys to; false if there is none. */
static int forward(lua_State *watcher) {
  if (!lua_getmetatable(watcher, TABLE))
    return 0;
  lua_pushnil(watcher); /* a place for the key: no string can be made here */
  while (lua_next(watcher, TABLE + 1)) {
    if (lua_type(watcher, -2) == LUA_TSTRING && lua_istable(watcher, -1)) {
      const char *key = lua_tostring(watcher, -2);
      if (key[0] == '_' && key[1] == '_' && key[2] == 'n' && key[3] == 'e' && key[4] == 'w') {
        lua_replace(watcher, TABLE);
        lua_settop(watcher, TABLE);
        return 1;
      }
    }
    lua_pop(watcher, 1);
  }
  lua_settop(watcher, TABLE);
  return 0;
}

static int is_new(struct look *look, const void *table) {
  int i;
  for (i = 0; i < look->count; i++)
    if (look->seen[i] == table)
      return 0;
  if (look->count < MOST_TABLES)
    look->seen[look->count] = table;
  look->count++;
  return 1;
}

/* The value on top of L, which is popped. No honest function has a thousand tables at hand. */
static int look_at(struct look *look, lua_State *L, lua_State *watcher) {
  int found = 0;
  if (!lua_istable(L, -1)) {
    lua_pop(L, 1);
    return 0;
  }
  lua_settop(watcher, TABLE - 1);
  lua_xmove(L, watcher, 1);
  while (!found && is_new(look, lua_topointer(watcher, TABLE))) {
    found = look->count > MOST_TABLES || collisions_in(watcher, TABLE, look->nodes);
    if (!found && !forward(watcher))
      break;
  }
  lua_settop(watcher, TABLE - 1);
  return found;
}

/* All that an instruction of the running function, or that function itself if it is in C, can have as its table. */
static int look_at_frame(struct look *look, lua_State *L, lua_State *watcher) {
  lua_Debug frame;
  int found = 0, i;
  if (!lua_getstack(L, 0, &frame))
    return 0;
  for (i = 1; !found && lua_getlocal(L, &frame, i); i++)
    found = look_at(look, L, watcher);
  lua_getinfo(L, "f", &frame);
  for (i = 1; !found && lua_getupvalue(L, -1, i); i++)
    found = look_at(look, L, watcher);
  lua_pop(L, 1);
  return found;
}

void collisions_look(struct limits *limits, size_t size) {
  size_t nodes = size / NODE_BYTES;
  struct look look;
  if (nodes < LEAST_NODES || nodes * NODE_BYTES + VERSIONS_BEFORE_NODES != size || (nodes & (nodes - 1)))
    return;
  if (!limits->calls || !limits->nanoseconds || !limits->watcher || !limits->escape)
    return;
  look.nodes = nodes;
  look.count = 0;
  if (!look_at_frame(&look, limits->running, limits->watcher)) {
    lua_sethook(limits->running, limits_hook, LUA_MASKCOUNT, 1); /* looking took its time */
    return;
  }
  limits->reason = "has a table of keys that collide";
  limits_break(limits);
}
