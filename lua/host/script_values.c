/* Tables are read raw, so nothing of the script's runs meanwhile, and no length is believed. */
#include "script_values.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "script_limits.h"

enum {
  MOST_VALUES = 1000000,
  MOST_BYTES = 64 << 20,
  BELIEVED_LENGTH = 1024,
  VALUE_CHARGE = 10, /* instructions */
  BYTES_OF_CHARGE = 32
};

static const char array_key, empty_array_key; /* their addresses are keys of the registry */

void values_set_array(lua_State *L) { lua_rawsetp(L, LUA_REGISTRYINDEX, &array_key); }
void values_push_array(lua_State *L) { lua_rawgetp(L, LUA_REGISTRYINDEX, &array_key); }
void values_set_empty_array(lua_State *L) { lua_rawsetp(L, LUA_REGISTRYINDEX, &empty_array_key); }

void values_begin(struct values *values, struct limits *limits) {
  values->limits = limits;
  values->left = MOST_VALUES;
  values->bytes = MOST_BYTES;
  values->depth = 0;
  values->problem = NULL;
  values->kind[0] = values->path[0] = '\0';
}

static int fail(struct values *values, const char *problem, const char *kind) {
  values->problem = problem;
  snprintf(values->kind, sizeof values->kind, "%s", kind);
  return 0;
}

void values_describe(const struct values *values, char *text, size_t size) {
  const char *article = !values->kind[0] ? "" : strchr("aeiou", values->kind[0]) ? "an " : "a ";
  const char *place = values->path[0] ? " (at " : "";
  snprintf(text, size, "%s%s%s%s%s%s", article, values->kind, values->problem, place, values->path, *place ? ")" : "");
}

/* Within lua_next: drops what it pushed. */
static int fail_in(struct values *values, lua_State *from, int top, const char *problem) {
  lua_settop(from, top);
  return fail(values, problem, "");
}

static int spend(struct values *values, size_t len) {
  if ((values->bytes -= (int64_t)len) < 0)
    return fail(values, "more than 64 MiB of strings cannot be copied at once", "");
  if (--values->left < 0)
    return fail(values, "more than 1000000 values cannot be copied at once", "");
  return !values->limits || limits_allow(values->limits, VALUE_CHARGE + len / BYTES_OF_CHARGE);
}

/* Puts what leads to the value, key at `index`, before the path. */
static void prepend_key(struct values *values, lua_State *L, int index) {
  char key[64], path[sizeof key + sizeof values->path];
  if (lua_type(L, index) == LUA_TSTRING)
    snprintf(key, sizeof key, ".%.48s", lua_tostring(L, index));
  else if (lua_isinteger(L, index))
    snprintf(key, sizeof key, "[" LUA_INTEGER_FMT "]", lua_tointeger(L, index));
  else
    snprintf(key, sizeof key, "[%s]", luaL_typename(L, index));
  snprintf(path, sizeof path, "%s%s", key, values->path);
  snprintf(values->path, sizeof values->path, "%.159s", path);
}

static int is_array(lua_State *L, int index) {
  int found;
  if (!lua_getmetatable(L, index))
    return 0;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &array_key);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &empty_array_key);
  found = lua_rawequal(L, -3, -2) || lua_rawequal(L, -3, -1);
  lua_pop(L, 3);
  return found;
}

static int is_within_itself(const struct values *values, const void *table) {
  int depth;
  for (depth = 0; depth < values->depth; depth++)
    if (values->tables[depth] == table)
      return 1;
  return 0;
}

static int copy_entries(struct values *values, lua_State *from, int index, lua_State *to) {
  lua_pushnil(from);
  while (lua_next(from, index)) {
    int key = lua_gettop(from) - 1, type = lua_type(from, key);
    if (type != LUA_TSTRING && type != LUA_TNUMBER)
      return fail_in(values, from, key - 1, "a key that is neither a string nor a number cannot be copied");
    if (!values_copy(values, from, key, to) || !values_copy(values, from, key + 1, to)) {
      prepend_key(values, from, key);
      lua_settop(from, key - 1);
      return 0;
    }
    lua_rawset(to, -3);
    lua_settop(from, key);
  }
  return 1;
}

static int copy_table(struct values *values, lua_State *from, int index, lua_State *to) {
  const void *table = lua_topointer(from, index);
  lua_Unsigned length = lua_rawlen(from, index);
  int top = lua_gettop(to), copied;
  if (is_within_itself(values, table))
    return fail(values, "a table that contains itself cannot be copied", "");
  if (values->depth == VALUES_DEPTH)
    return fail(values, "tables more than 128 deep cannot be copied", "");
  if (!lua_checkstack(from, 6) || !lua_checkstack(to, 6))
    return fail(values, "out of memory", "");
  lua_createtable(to, (int)(length < BELIEVED_LENGTH ? length : BELIEVED_LENGTH), 0);
  if (is_array(from, index)) {
    values_push_array(to);
    lua_setmetatable(to, -2);
  }
  values->tables[values->depth++] = table;
  copied = copy_entries(values, from, lua_absindex(from, index), to);
  values->depth--;
  if (!copied)
    lua_settop(to, top);
  return copied;
}

int values_copy(struct values *values, lua_State *from, int index, lua_State *to) {
  int type = lua_type(from, index);
  size_t len = 0;
  const char *text = type == LUA_TSTRING ? lua_tolstring(from, index, &len) : NULL;
  if (!spend(values, len))
    return 0;
  if (type == LUA_TSTRING)
    lua_pushlstring(to, text, len);
  else if (type == LUA_TTABLE)
    return copy_table(values, from, index, to);
  else if (type == LUA_TBOOLEAN)
    lua_pushboolean(to, lua_toboolean(from, index));
  else if (type == LUA_TNUMBER && lua_isinteger(from, index))
    lua_pushinteger(to, lua_tointeger(from, index));
  else if (type == LUA_TNUMBER)
    lua_pushnumber(to, lua_tonumber(from, index));
  else if (type == LUA_TLIGHTUSERDATA && !lua_touserdata(from, index))
    lua_pushlightuserdata(to, NULL);
  else if (type == LUA_TNIL || type == LUA_TNONE)
    lua_pushnil(to);
  else
    return fail(values, " cannot be copied", lua_typename(from, type));
  return 1;
}
