/* string.rep, and the functions that take patterns. The others take time in proportion to one string, which the hook
 * allows for. */
#include <lauxlib.h>
#include <limits.h>
#include <string.h>

#include "sandbox/libraries/guards.h"
#include "sandbox/libraries/patterns.h"
#include "sandbox/limits/limits.h"

enum { BYTES_OF_CHARGE = 32 };

static void charge_bytes(lua_State *L, size_t len) { limits_charge(L, 1 + len / BYTES_OF_CHARGE); }

/* string.rep(s, n [, sep]) */
static int rep(lua_State *L) {
  size_t len, separator_len, total, filled, unit;
  const char *text = luaL_checklstring(L, 1, &len), *separator;
  lua_Integer count = luaL_checkinteger(L, 2);
  luaL_Buffer result;
  char *to;
  separator = luaL_optlstring(L, 3, "", &separator_len);
  unit = len + separator_len;
  if (count <= 0 || !unit) {
    lua_pushliteral(L, "");
    return 1;
  }
  if ((lua_Unsigned)count >= (lua_Unsigned)INT_MAX / unit)
    return luaL_error(L, "resulting string too large");
  total = unit * (size_t)count - separator_len;
  to = luaL_buffinitsize(L, &result, total);
  charge_bytes(L, total);
  filled = total < unit ? total : unit;
  memcpy(to, text, len);
  memcpy(to + len, separator, filled - len);
  while (filled < total) { /* what is there already, once more */
    size_t piece = filled < total - filled ? filled : total - filled;
    memcpy(to + filled, to, piece);
    filled += piece;
  }
  luaL_pushresultsize(&result, total);
  return 1;
}

/* ---- Captures ---- */

static void push_capture(struct pattern *pattern, int which, const char *start, const char *end) {
  lua_State *L = pattern->L;
  const struct pattern_capture *capture = &pattern->capture[which];
  if (which >= pattern->captures) {
    if (which)
      luaL_error(L, "invalid capture index %%%d", which + 1);
    lua_pushlstring(L, start, (size_t)(end - start));
  } else if (capture->len == CAPTURE_OPEN) {
    luaL_error(L, "unfinished capture");
  } else if (capture->len == CAPTURE_POSITION) {
    lua_pushinteger(L, capture->start - pattern->subject + 1);
  } else {
    lua_pushlstring(L, capture->start, (size_t)capture->len);
  }
}

/* All of them; the whole match, if there are none and `start` is given. */
static int push_captures(struct pattern *pattern, const char *start, const char *end) {
  int count = !pattern->captures && start ? 1 : pattern->captures, which;
  luaL_checkstack(pattern->L, count, "too many captures");
  for (which = 0; which < count; which++)
    push_capture(pattern, which, start, end);
  return count;
}

/* ---- find, match ---- */

/* The optional argument at `index`, a position as Lua counts, from 0. */
static size_t check_start(lua_State *L, int index, size_t len) {
  lua_Integer at = luaL_optinteger(L, index, 1);
  if (at > 0)
    return (size_t)at - 1;
  return !at || at < -(lua_Integer)len ? 0 : (size_t)((lua_Integer)len + at);
}

static int push_range(lua_State *L, const char *subject, const char *start, const char *end) {
  lua_pushinteger(L, start - subject + 1);
  lua_pushinteger(L, end - subject);
  return 2;
}

static int find_plain(lua_State *L, const char *subject, size_t len, size_t from, const char *text, size_t text_len) {
  const char *found = memmem(subject + from, len - from, text, text_len);
  charge_bytes(L, (found ? (size_t)(found - subject) - from : len - from) + text_len);
  if (found)
    return push_range(L, subject, found, found + text_len);
  luaL_pushfail(L);
  return 1;
}

static int find_or_match(lua_State *L, int find) {
  size_t len, text_len, from;
  const char *subject = luaL_checklstring(L, 1, &len), *text = luaL_checklstring(L, 2, &text_len), *at, *end;
  struct pattern pattern;
  from = check_start(L, 3, len);
  if (from > len) {
    luaL_pushfail(L);
    return 1;
  }
  if (find && (lua_toboolean(L, 4) || pattern_is_plain(text, text_len)))
    return find_plain(L, subject, len, from, text, text_len);
  pattern_init(&pattern, L, subject, len, text, text_len);
  for (at = subject + from; at <= pattern.subject_end; at++) {
    end = pattern_match(&pattern, at);
    if (end && find)
      return push_range(L, subject, at, end) + push_captures(&pattern, NULL, NULL);
    if (end)
      return push_captures(&pattern, at, end);
    if (pattern.anchored)
      break;
  }
  luaL_pushfail(L);
  return 1;
}

static int find(lua_State *L) { return find_or_match(L, 1); }

static int match(lua_State *L) { return find_or_match(L, 0); }

/* ---- gmatch ---- */

enum { SUBJECT = 1, PATTERN, NEXT, LAST_END /* upvalues: where to go on, and where the last match ended or -1 */ };

static int gmatch_next(lua_State *L) {
  size_t len, text_len;
  const char *subject = lua_tolstring(L, lua_upvalueindex(SUBJECT), &len);
  const char *text = lua_tolstring(L, lua_upvalueindex(PATTERN), &text_len);
  lua_Integer at = lua_tointeger(L, lua_upvalueindex(NEXT)), last_end = lua_tointeger(L, lua_upvalueindex(LAST_END));
  struct pattern pattern;
  pattern_init(&pattern, L, subject, len, text, text_len);
  pattern.text = text; /* '^' is no anchor here */
  for (; at <= (lua_Integer)len; at++) {
    const char *end = pattern_match(&pattern, subject + at);
    if (end && end - subject != last_end) {
      lua_pushinteger(L, end - subject);
      lua_copy(L, -1, lua_upvalueindex(NEXT));
      lua_replace(L, lua_upvalueindex(LAST_END));
      return push_captures(&pattern, subject + at, end);
    }
  }
  return 0;
}

/* string.gmatch(s, pattern [, init]) */
static int gmatch(lua_State *L) {
  size_t len, from;
  luaL_checklstring(L, 1, &len);
  luaL_checkstring(L, 2);
  from = check_start(L, 3, len);
  lua_settop(L, 2);
  lua_pushinteger(L, (lua_Integer)(from > len ? len + 1 : from));
  lua_pushinteger(L, -1);
  lua_pushcclosure(L, gmatch_next, 4);
  return 1;
}

/* ---- gsub ---- */

enum { REPLACEMENT = 3 };

static void add_text(struct pattern *pattern, luaL_Buffer *result, const char *start, const char *end) {
  lua_State *L = pattern->L;
  size_t len;
  const char *text = lua_tolstring(L, REPLACEMENT, &len), *stop = text + len, *percent;
  charge_bytes(L, len);
  for (; (percent = memchr(text, '%', (size_t)(stop - text))) != NULL; text = percent + 2) {
    char next = percent + 1 < stop ? percent[1] : 0;
    luaL_addlstring(result, text, (size_t)(percent - text));
    if (next == '%') {
      luaL_addchar(result, '%');
    } else if (next == '0') {
      luaL_addlstring(result, start, (size_t)(end - start));
    } else if (next >= '1' && next <= '9') {
      push_capture(pattern, next - '1', start, end);
      luaL_tolstring(L, -1, NULL);
      lua_remove(L, -2);
      charge_bytes(L, lua_rawlen(L, -1));
      luaL_addvalue(result);
    } else {
      luaL_error(L, "invalid use of '%%' in replacement string");
    }
  }
  luaL_addlstring(result, text, (size_t)(stop - text));
}

/* Pushes what a table or function has for the match. */
static void look_up(struct pattern *pattern, const char *start, const char *end) {
  lua_State *L = pattern->L;
  if (lua_type(L, REPLACEMENT) == LUA_TTABLE) {
    push_capture(pattern, 0, start, end);
    lua_gettable(L, REPLACEMENT);
  } else {
    lua_pushvalue(L, REPLACEMENT);
    lua_call(L, push_captures(pattern, start, end), 1);
  }
}

/* Returns whether the match was replaced. */
static int add_replacement(struct pattern *pattern, luaL_Buffer *result, const char *start, const char *end) {
  lua_State *L = pattern->L;
  int type = lua_type(L, REPLACEMENT);
  if (type == LUA_TSTRING || type == LUA_TNUMBER) {
    add_text(pattern, result, start, end);
    return 1;
  }
  look_up(pattern, start, end);
  if (!lua_toboolean(L, -1)) {
    lua_pop(L, 1);
    luaL_addlstring(result, start, (size_t)(end - start));
    return 0;
  }
  if (!lua_isstring(L, -1))
    return luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
  if (lua_type(L, -1) == LUA_TSTRING)
    charge_bytes(L, lua_rawlen(L, -1));
  luaL_addvalue(result);
  return 1;
}

static void check_replacement(lua_State *L) {
  int type = lua_type(L, REPLACEMENT);
  luaL_argexpected(L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TTABLE || type == LUA_TFUNCTION,
                   REPLACEMENT, "string/function/table");
  if (type == LUA_TNUMBER)
    lua_tostring(L, REPLACEMENT);
}

/* string.gsub(s, pattern, repl [, n]) */
static int gsub(lua_State *L) {
  size_t len, text_len;
  const char *at = luaL_checklstring(L, 1, &len), *text = luaL_checklstring(L, 2, &text_len), *last_end = NULL;
  lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)len + 1), count = 0;
  int changed = 0;
  struct pattern pattern;
  luaL_Buffer result;
  check_replacement(L);
  lua_settop(L, 4);
  pattern_init(&pattern, L, at, len, text, text_len);
  luaL_buffinit(L, &result);
  while (count < most) {
    const char *end = pattern_match(&pattern, at);
    if (end && end != last_end) {
      count++;
      changed |= add_replacement(&pattern, &result, at, end);
      at = last_end = end;
    } else if (at < pattern.subject_end) {
      luaL_addchar(&result, *at++);
    } else {
      break;
    }
    if (pattern.anchored)
      break;
  }
  luaL_addlstring(&result, at, (size_t)(pattern.subject_end - at));
  luaL_pushresult(&result);
  if (!changed)
    lua_pushvalue(L, 1);
  lua_pushinteger(L, count);
  return 2;
}

void guarded_strings_setup(lua_State *L) {
  static const luaL_Reg functions[] = {{"find", find},   {"gmatch", gmatch}, {"gsub", gsub},
                                       {"match", match}, {"rep", rep},       {NULL, NULL}};
  lua_getglobal(L, "string");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
