/* string.format. Lua's own one runs for as long as its format and its arguments ask for, without a look at the clock: a
 * MiB of control characters takes 45 ms by %q, ten thousand numbers of 300 digits 80 ms. So the work is estimated
 * first; what is little goes to Lua's function as it is, more goes there item by item, a long %q in pieces. */
#include <ctype.h>
#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "sandbox/libraries/guards.h"
#include "sandbox/limits/limits.h"

enum {
  ITEM_CHARGE = 10,
  LONG_NUMBER_CHARGE = 800, /* 300 digits before the point, 99 behind it */
  QUOTED_CHARGE = 4,        /* for each byte */
  BYTES_OF_CHARGE = 32,
  LITERALS_OF_CHARGE = 8, /* copied one by one */
  LITTLE = 10000,         /* instructions: a tenth of a millisecond */
  PIECE = 1024            /* of a string by %q */
};

/* A conversion, "%-5.2f", with what is in front of it. */
struct item {
  const char *start, *percent, *end;
};

/* Takes the next item off the format, or what is left of it, where `percent` is the end. "%%" is what stands in front
 * of nothing: it is left to Lua with the rest. */
static struct item next_item(const char **format, const char *stop) {
  struct item item = {*format, stop, stop};
  const char *at = *format;
  while ((at = memchr(at, '%', (size_t)(stop - at))) != NULL && at + 1 < stop && at[1] == '%')
    at += 2;
  if (at) {
    item.percent = at++;
    while (at < stop && *at && strchr("-+ #0123456789.", *at))
      at++;
    item.end = at < stop ? at + 1 : stop;
  }
  *format = item.end;
  return item;
}

static int is_long_number(lua_State *L, int argument) {
  return lua_isnumber(L, argument) && fabs(lua_tonumber(L, argument)) > 1e20;
}

static uint64_t estimate(lua_State *L, const struct item *item, int argument) {
  uint64_t work = ITEM_CHARGE + (uint64_t)(item->percent - item->start) / LITERALS_OF_CHARGE;
  size_t len = lua_type(L, argument) == LUA_TSTRING ? lua_rawlen(L, argument) : 0;
  char conversion = item->percent < item->end ? item->end[-1] : '\0';
  if (conversion == 'q')
    return work + QUOTED_CHARGE * (uint64_t)len;
  if (conversion && strchr("fFeEgG", conversion) && (item->end - item->percent > 4 || is_long_number(L, argument)))
    return work + LONG_NUMBER_CHARGE;
  return work + len / BYTES_OF_CHARGE;
}

static uint64_t estimate_all(lua_State *L, const char *format, const char *stop, int count) {
  uint64_t work = 0;
  int argument;
  for (argument = 2; format < stop && work <= LITTLE; argument++) {
    struct item item = next_item(&format, stop);
    work += estimate(L, &item, argument <= count ? argument : count + 1);
  }
  return work;
}

/* Where a piece that begins at `at` ends: not between a control character and a digit, as Lua writes the one by as few
 * digits as the other allows. */
static size_t piece_end(const char *text, size_t len, size_t at) {
  size_t end = at + PIECE;
  if (end >= len)
    return len;
  return iscntrl((unsigned char)text[end - 1]) && isdigit((unsigned char)text[end]) ? end - 1 : end;
}

/* A long string by %q: pieces, without the quotes of each. */
static void add_quoted(lua_State *L, luaL_Buffer *result, int argument) {
  size_t len, at, end;
  const char *text = lua_tolstring(L, argument, &len);
  luaL_addchar(result, '"');
  for (at = 0; at < len; at = end) {
    const char *quoted;
    size_t quoted_len;
    end = piece_end(text, len, at);
    limits_charge(L, QUOTED_CHARGE * (uint64_t)(end - at));
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushliteral(L, "%q");
    lua_pushlstring(L, text + at, end - at);
    lua_call(L, 2, 1);
    quoted = lua_tolstring(L, -1, &quoted_len);
    lua_pushlstring(L, quoted + 1, quoted_len - 2);
    lua_remove(L, -2);
    luaL_addvalue(result);
  }
  luaL_addchar(result, '"');
}

static int is_long_quote(lua_State *L, const struct item *item, int argument) {
  return item->end - item->percent == 2 && item->end[-1] == 'q' && lua_type(L, argument) == LUA_TSTRING &&
         lua_rawlen(L, argument) > PIECE;
}

/* `argument` 0: none */
static void add_by_lua(lua_State *L, luaL_Buffer *result, const char *start, const char *end, int argument) {
  limits_charge(L, ITEM_CHARGE);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushlstring(L, start, (size_t)(end - start));
  if (argument)
    lua_pushvalue(L, argument);
  lua_call(L, argument ? 2 : 1, 1);
  luaL_addvalue(result);
}

/* What the buffer has on the stack stands above the arguments, the last of which is `count`. */
static int format_in_pieces(lua_State *L, const char *format, const char *stop, int count) {
  luaL_Buffer result;
  int argument;
  luaL_buffinit(L, &result);
  for (argument = 2; format < stop; argument++) {
    struct item item = next_item(&format, stop);
    limits_charge(L, estimate(L, &item, argument <= count ? argument : count + 1));
    if (argument <= count && is_long_quote(L, &item, argument)) {
      add_by_lua(L, &result, item.start, item.percent, 0);
      add_quoted(L, &result, argument);
    } else {
      add_by_lua(L, &result, item.start, item.end, argument <= count ? argument : 0);
    }
  }
  luaL_pushresult(&result);
  return 1;
}

/* string.format(format, …) */
static int format(lua_State *L) {
  size_t len;
  const char *text = luaL_checklstring(L, 1, &len), *stop = text + len;
  int count = lua_gettop(L);
  uint64_t work = estimate_all(L, text, stop, count);
  if (work > LITTLE) {
    luaL_checkstack(L, 16, NULL);
    return format_in_pieces(L, text, stop, count);
  }
  limits_charge(L, work);
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

void guarded_format_setup(lua_State *L) {
  lua_getglobal(L, "string");
  lua_getfield(L, -1, "format");
  lua_pushcclosure(L, format, 1);
  lua_setfield(L, -2, "format");
  lua_pop(L, 1);
}
