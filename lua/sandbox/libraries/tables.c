/* The module table for a script under limits. Entries are read and written raw: no code of the script's runs in between
 * but a comparison of its own, and no length is believed without being charged. A table whose metatable would make a
 * difference
 * (__newindex, __len, a function as __index) is refused. */
#include <lauxlib.h>

#include "sandbox/libraries/guards.h"
#include "sandbox/limits/limits.h"

enum { STEP_CHARGE = 2, BYTES_OF_CHARGE = 32, SHORT = 8 /* merging begins with runs of so many */ };

/* `harmless`: the type of it that may be there, or LUA_TNIL. */
static void refuse_metamethod(lua_State *L, int index, const char *name, int harmless) {
  int type = luaL_getmetafield(L, index, name);
  if (type == LUA_TNIL)
    return;
  if (type != harmless)
    luaL_error(L, "the table functions of this script take no table with such a %s", name);
  lua_pop(L, 1);
}

static void check_table(lua_State *L, int index) {
  luaL_checktype(L, index, LUA_TTABLE);
  if (!lua_getmetatable(L, index))
    return;
  lua_pop(L, 1);
  refuse_metamethod(L, index, "__index", LUA_TTABLE);
  refuse_metamethod(L, index, "__newindex", LUA_TNIL);
  refuse_metamethod(L, index, "__len", LUA_TNIL);
}

static lua_Integer length(lua_State *L, int index) {
  check_table(L, index);
  return (lua_Integer)lua_rawlen(L, index);
}

/* t[to] = t[from], of the table at 1 */
static void shift(lua_State *L, lua_Integer from, lua_Integer to) {
  limits_charge(L, STEP_CHARGE);
  lua_rawgeti(L, 1, from);
  lua_rawseti(L, 1, to);
}

/* table.insert(list, [pos,] value) */
static int insert(lua_State *L) {
  lua_Integer end = length(L, 1) + 1, at = end, i;
  int count = lua_gettop(L);
  if (count == 3)
    at = luaL_checkinteger(L, 2);
  else if (count != 2)
    return luaL_error(L, "wrong number of arguments to 'insert'");
  luaL_argcheck(L, (lua_Unsigned)at - 1u < (lua_Unsigned)end, 2, "position out of bounds");
  for (i = end; i > at; i--)
    shift(L, i - 1, i);
  lua_rawseti(L, 1, at);
  return 0;
}

/* table.remove(list [, pos]) */
static int removed(lua_State *L) {
  lua_Integer size = length(L, 1), at = luaL_optinteger(L, 2, size);
  if (at != size)
    luaL_argcheck(L, (lua_Unsigned)at - 1u <= (lua_Unsigned)size, 2, "position out of bounds");
  lua_rawgeti(L, 1, at);
  for (; at < size; at++)
    shift(L, at + 1, at);
  lua_pushnil(L);
  lua_rawseti(L, 1, at);
  return 1;
}

/* table.move(a1, f, e, t [, a2]) */
static int move(lua_State *L) {
  lua_Integer first = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3), to = luaL_checkinteger(L, 4), i, count;
  int target = lua_isnoneornil(L, 5) ? 1 : 5, forward;
  check_table(L, 1);
  check_table(L, target);
  if (last >= first) {
    luaL_argcheck(L, first > 0 || last < LUA_MAXINTEGER + first, 3, "too many elements to move");
    count = last - first + 1;
    luaL_argcheck(L, to <= LUA_MAXINTEGER - count + 1, 4, "destination wrap around");
    forward = to > last || to <= first || (target != 1 && !lua_rawequal(L, 1, target));
    for (i = 0; i < count; i++) {
      lua_Integer at = forward ? i : count - 1 - i;
      limits_charge(L, STEP_CHARGE);
      lua_rawgeti(L, 1, first + at);
      lua_rawseti(L, target, to + at);
    }
  }
  lua_pushvalue(L, target);
  return 1;
}

static void add_item(lua_State *L, luaL_Buffer *text, lua_Integer at) {
  int type = lua_rawgeti(L, 1, at);
  if (type != LUA_TSTRING && type != LUA_TNUMBER)
    luaL_error(L, "invalid value (at index %I) in table for 'concat'", (LUAI_UACINT)at);
  limits_charge(L, STEP_CHARGE + (type == LUA_TSTRING ? lua_rawlen(L, -1) / BYTES_OF_CHARGE : 0));
  luaL_addvalue(text);
}

/* table.concat(list [, sep [, i [, j]]]) */
static int concat(lua_State *L) {
  lua_Integer size = length(L, 1), at, last;
  size_t separator_len;
  const char *separator = luaL_optlstring(L, 2, "", &separator_len);
  luaL_Buffer text;
  at = luaL_optinteger(L, 3, 1);
  last = luaL_optinteger(L, 4, size);
  luaL_buffinit(L, &text);
  for (; at < last; at++) {
    add_item(L, &text, at);
    limits_charge(L, 1 + separator_len / BYTES_OF_CHARGE);
    luaL_addlstring(&text, separator, separator_len);
  }
  if (at == last)
    add_item(L, &text, at);
  luaL_pushresult(&text);
  return 1;
}

/* table.unpack(list [, i [, j]]) */
static int unpack(lua_State *L) {
  lua_Integer first = luaL_optinteger(L, 2, 1), last, at;
  lua_Unsigned count;
  check_table(L, 1);
  last = luaL_opt(L, luaL_checkinteger, 3, (lua_Integer)lua_rawlen(L, 1));
  if (first > last)
    return 0;
  count = (lua_Unsigned)last - (lua_Unsigned)first;
  if (count >= 1000000 || !lua_checkstack(L, (int)++count))
    return luaL_error(L, "too many results to unpack");
  limits_charge(L, count * STEP_CHARGE);
  for (at = first; at < last; at++)
    lua_rawgeti(L, 1, at);
  lua_rawgeti(L, 1, last);
  return (int)count;
}

/* ---- table.sort: a merge sort, on copies, so that an error in a comparison leaves the table as it was ---- */

enum { TABLE = 1, COMPARE = 2, SOURCE = 3, TARGET = 4 };

static int compare_defaults(lua_State *L) {
  size_t left, right;
  if (lua_type(L, -2) == LUA_TSTRING && lua_type(L, -1) == LUA_TSTRING) {
    left = lua_rawlen(L, -2);
    right = lua_rawlen(L, -1);
    limits_charge(L, (left < right ? left : right) / BYTES_OF_CHARGE + 1);
  }
  return lua_compare(L, -2, -1, LUA_OPLT);
}

/* Whether what is at -2 comes before what is at -1; both stay. */
static int is_before(lua_State *L) {
  int result;
  limits_charge(L, STEP_CHARGE);
  if (lua_isnil(L, COMPARE))
    return compare_defaults(L);
  lua_pushvalue(L, COMPARE);
  lua_pushvalue(L, -3);
  lua_pushvalue(L, -3);
  lua_call(L, 2, 1);
  result = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return result;
}

/* Two runs next to each other, [left, middle) and [middle, end), from one table to the other. */
static void merge(lua_State *L, int source, int target, lua_Integer left, lua_Integer middle, lua_Integer end) {
  lua_Integer right = middle, to = left;
  while (left < middle && right < end) {
    lua_rawgeti(L, source, right);
    lua_rawgeti(L, source, left);
    if (is_before(L)) {
      lua_pop(L, 1);
      right++;
    } else {
      lua_remove(L, -2);
      left++;
    }
    lua_rawseti(L, target, to++);
  }
  for (; left < middle || right < end; to++) {
    limits_charge(L, STEP_CHARGE);
    lua_rawgeti(L, source, left < middle ? left++ : right++);
    lua_rawseti(L, target, to);
  }
}

/* A run of a few, in place. */
static void sort_short(lua_State *L, int table, lua_Integer first, lua_Integer end) {
  lua_Integer next, at;
  for (next = first + 1; next < end; next++) {
    lua_rawgeti(L, table, next);
    for (at = next; at > first; at--) {
      lua_pushvalue(L, -1);
      lua_rawgeti(L, table, at - 1);
      if (!is_before(L)) {
        lua_pop(L, 2);
        break;
      }
      lua_rawseti(L, table, at);
      lua_pop(L, 1);
    }
    lua_rawseti(L, table, at);
  }
}

static void copy_list(lua_State *L, int source, int target, lua_Integer size) {
  lua_Integer at;
  for (at = 1; at <= size; at++) {
    limits_charge(L, STEP_CHARGE);
    lua_rawgeti(L, source, at);
    lua_rawseti(L, target, at);
  }
}

static lua_Integer smaller(lua_Integer a, lua_Integer b) { return a < b ? a : b; }

/* Returns the index, SOURCE or TARGET, of the sorted copy. */
static int merge_all(lua_State *L, lua_Integer size) {
  int source = SOURCE, target = TARGET;
  lua_Integer first, width;
  for (first = 1; first <= size; first += SHORT)
    sort_short(L, source, first, smaller(first + SHORT, size + 1));
  for (width = SHORT; width < size; width *= 2) {
    for (first = 1; first <= size; first += 2 * width)
      merge(L, source, target, first, smaller(first + width, size + 1), smaller(first + 2 * width, size + 1));
    source = target;
    target = SOURCE + TARGET - source;
  }
  return source;
}

/* table.sort(list [, comp]) */
static int sort(lua_State *L) {
  lua_Integer size = length(L, TABLE);
  if (!lua_isnoneornil(L, COMPARE))
    luaL_checktype(L, COMPARE, LUA_TFUNCTION);
  if (size < 2)
    return 0;
  luaL_argcheck(L, size < INT32_MAX, 1, "array too big");
  lua_settop(L, COMPARE);
  lua_newtable(L);
  lua_newtable(L);
  luaL_checkstack(L, 8, NULL);
  copy_list(L, TABLE, SOURCE, size);
  copy_list(L, merge_all(L, size), TABLE, size);
  return 0;
}

void guarded_tables_setup(lua_State *L) {
  static const luaL_Reg functions[] = {{"concat", concat}, {"insert", insert}, {"move", move}, {"remove", removed},
                                       {"sort", sort},     {"unpack", unpack}, {NULL, NULL}};
  lua_getglobal(L, "table");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
