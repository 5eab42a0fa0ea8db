/* Tables are read raw, so nothing of the script's runs meanwhile, and no length is believed. The copy of a table may
 * have another size than the table, and keys that were chosen for it may collide there (collisions.c): one with
 * many numbers as keys is copied into a table that is made in its final size, for which they are looked at. */
#include "sandbox/values.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "sandbox/limits/collisions.h"
#include "sandbox/limits/limits.h"

enum {
  MOST_VALUES = 1000000,
  MOST_BYTES = 64 << 20,
  BELIEVED_LENGTH = 1024,
  MOST_SCATTERED = 1024, /* numbers as keys beside those of a list, for which nobody looks at collisions */
  VALUE_CHARGE = 10,     /* instructions */
  BYTES_OF_CHARGE = 32
};

static const char array_key, empty_array_key; /* their addresses are keys of the registry */

static const char too_many[] = "more than 1000000 values cannot be copied at once";

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
    return fail(values, too_many, "");
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

enum { FAILED, COPIED, TOO_SCATTERED };

static int is_within(lua_State *L, int key, lua_Unsigned length) {
  return lua_isinteger(L, key) && (lua_Unsigned)lua_tointeger(L, key) - 1 < length;
}

/* A key that is not far beyond the number of those before it is taken for one of a list: too few of these can collide.
 */
static int copy_entries(struct values *values, int most_scattered, lua_State *from, int index, lua_State *to) {
  int seen = 0, scattered = 0;
  lua_pushnil(from);
  while (lua_next(from, index)) {
    int key = lua_gettop(from) - 1, type = lua_type(from, key);
    if (type != LUA_TSTRING && type != LUA_TNUMBER)
      return fail_in(values, from, key - 1, "a key that is neither a string nor a number cannot be copied");
    if (type == LUA_TNUMBER && !is_within(from, key, 2 * (lua_Unsigned)seen++ + BELIEVED_LENGTH) &&
        ++scattered > most_scattered) {
      lua_settop(from, key - 1);
      return TOO_SCATTERED;
    }
    if (!values_copy(values, from, key, to) || !values_copy(values, from, key + 1, to)) {
      prepend_key(values, from, key);
      lua_settop(from, key - 1);
      return FAILED;
    }
    lua_rawset(to, -3);
    lua_settop(from, key);
  }
  return COPIED;
}

struct size {
  int listed, scattered; /* entries: of the list 1..length, and others */
};

/* Stops where there are more than can be copied. */
static struct size count_entries(lua_State *from, int index, lua_Unsigned length) {
  struct size size = {0, 0};
  int top = lua_gettop(from);
  lua_pushnil(from);
  while (size.listed + size.scattered <= MOST_VALUES && lua_next(from, index)) {
    lua_pop(from, 1);
    if (is_within(from, -1, length))
      size.listed++;
    else
      size.scattered++;
  }
  lua_settop(from, top);
  if ((lua_Unsigned)size.listed < length) { /* with holes: they go where the others go */
    size.scattered += size.listed;
    size.listed = 0;
  }
  return size;
}

/* Pushes onto `to` an empty table that does not grow when the entries are copied; 0 if their keys collide there. */
static int push_sized(struct values *values, lua_State *from, int index, lua_State *to) {
  struct size size = count_entries(from, index, lua_rawlen(from, index));
  size_t nodes = 1;
  if (size.listed + size.scattered > MOST_VALUES)
    return fail(values, too_many, "");
  while (nodes < (size_t)size.scattered)
    nodes *= 2;
  if (collisions_in(from, index, nodes))
    return fail(values, "a table of keys that collide cannot be copied", "");
  lua_createtable(to, size.listed, size.scattered);
  return 1;
}

static int copy_content(struct values *values, lua_State *from, int index, lua_State *to) {
  lua_Unsigned length = lua_rawlen(from, index);
  int copied;
  lua_createtable(to, (int)(length < BELIEVED_LENGTH ? length : BELIEVED_LENGTH), 0);
  copied = copy_entries(values, MOST_SCATTERED, from, index, to);
  if (copied != TOO_SCATTERED)
    return copied;
  lua_pop(to, 1);
  return push_sized(values, from, index, to) && copy_entries(values, MOST_VALUES, from, index, to);
}

static int copy_table(struct values *values, lua_State *from, int index, lua_State *to) {
  const void *table = lua_topointer(from, index);
  int top = lua_gettop(to), copied;
  index = lua_absindex(from, index);
  if (is_within_itself(values, table))
    return fail(values, "a table that contains itself cannot be copied", "");
  if (values->depth == VALUES_DEPTH)
    return fail(values, "tables more than 128 deep cannot be copied", "");
  if (!lua_checkstack(from, 6) || !lua_checkstack(to, 6))
    return fail(values, "out of memory", "");
  values->tables[values->depth++] = table;
  copied = copy_content(values, from, index, to);
  values->depth--;
  if (!copied) {
    lua_settop(to, top);
    return 0;
  }
  if (is_array(from, index)) {
    values_push_array(to);
    lua_setmetatable(to, -2);
  }
  return 1;
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
