/* A JSON writer: Lua values as compact text that reads back as the same values. What cannot be written makes it give
 * up, and lua/beam/json/writer.lua, which does the same in Lua, says what it was and where.
 *
 * Tables are read raw, no metamethod runs. The order of the keys is that of lua_next, as in Lua.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/decimal.h"
#include "base/utf8.h"
#include "json/json.h"

/* Where a call has things on its stack: the value, then what keeps the text once `first` is full. */
enum { ARGUMENT_VALUE = 1, ARGUMENT_TEXT };

struct writer {
  lua_State *L;
  char *text, *at, *end;
  int depth, max_depth;
  int large;        /* an integer beyond 2^53 was written */
  char first[2048]; /* enough for most messages */
};

/* ---- Text ---- */

/* A longer text: in a userdata, so that an error in the middle frees it. It comes from Lua's allocator, which bounds it
 * where memory is bounded, but not from its collector, which would go round while the text grows. */
struct long_text {
  char *text;
  size_t size;
};

static char *long_text_resize(lua_State *L, struct long_text *held, size_t size) {
  void *user;
  lua_Alloc allocate = lua_getallocf(L, &user);
  char *text = allocate(user, held->text, held->size, size);
  if (!text && size > 0)
    luaL_error(L, "not enough memory");
  held->text = text;
  held->size = size;
  return text;
}

int json_text_free(lua_State *L) {
  struct long_text *held = lua_touserdata(L, 1);
  if (held && held->text)
    long_text_resize(L, held, 0);
  return 0;
}

static struct long_text *long_text_new(lua_State *L) {
  struct long_text *held = lua_newuserdata(L, sizeof *held);
  memset(held, 0, sizeof *held);
  lua_pushvalue(L, lua_upvalueindex(JSON_TEXT_CLASS));
  lua_setmetatable(L, -2);
  lua_replace(L, ARGUMENT_TEXT);
  return held;
}

static void grow(struct writer *writer, size_t more) {
  size_t used = (size_t)(writer->at - writer->text), size = (size_t)(writer->end - writer->text);
  struct long_text *held = lua_touserdata(writer->L, ARGUMENT_TEXT);
  size = (more > size ? more : size) * 2;
  if (!held) {
    held = long_text_new(writer->L);
    memcpy(long_text_resize(writer->L, held, size), writer->first, used);
  } else {
    long_text_resize(writer->L, held, size);
  }
  writer->text = held->text;
  writer->at = writer->text + used;
  writer->end = writer->text + size;
}

static void reserve(struct writer *writer, size_t more) {
  if ((size_t)(writer->end - writer->at) < more)
    grow(writer, more);
}

static int put(struct writer *writer, const char *text, size_t len) {
  reserve(writer, len);
  memcpy(writer->at, text, len);
  writer->at += len;
  return 1;
}

static void put_char(struct writer *writer, char c) {
  reserve(writer, 1);
  *writer->at++ = c;
}

/* ---- Strings ---- */

enum { ESCAPE_MOST = 6 }; /* \u001f */

/* What follows the backslash: 'u' for the four digits, 0 for a byte that stands for itself. */
static char escape_of(unsigned char c) {
  static const char controls[] = "uuuuuuuubtnufruuuuuuuuuuuuuuuuuu";
  if (c < 0x20)
    return controls[c];
  return c == '"' || c == '\\' ? (char)c : c == 0x7F ? 'u' : 0;
}

/* Of 8 bytes: the high bit of each that has to be escaped (below 0x20, a quote, a backslash, 0x7F), and perhaps of one
 * that follows it. */
static uint64_t find_escapes(uint64_t word) {
  const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
  uint64_t quote = word ^ (ones * '"'), backslash = word ^ (ones * '\\'), delete = word ^ (ones * 0x7F);
  return (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | ((delete - ones) & ~delete) |
          ((word - ones * 0x20) & ~word)) &
         highs;
}

/* Copies what is ASCII and stands for itself, 8 bytes at a time, then single ones. Returns where it ends. */
static const char *put_plain(struct writer *writer, const char *at, const char *end) {
  const uint64_t highs = 0x8080808080808080u;
  char *out = writer->at;
  uint64_t word;
  for (; end - at >= 8; at += 8, out += 8) {
    memcpy(&word, at, sizeof word);
    if (find_escapes(word) | (word & highs))
      break;
    memcpy(out, &word, sizeof word);
  }
  for (; at < end && *at >= 0x20 && *at < 0x7F && *at != '"' && *at != '\\'; at++)
    *out++ = *at;
  writer->at = out;
  return at;
}

static char *put_escaped(char *out, unsigned char c) {
  static const char hex[] = "0123456789abcdef";
  char escape = escape_of(c);
  if (!escape) {
    *out++ = (char)c;
    return out;
  }
  *out++ = '\\';
  *out++ = escape;
  if (escape == 'u') {
    *out++ = '0';
    *out++ = '0';
    *out++ = hex[c >> 4];
    *out++ = hex[c & 15];
  }
  return out;
}

static char *put_piece(char *out, const char *at, const char *stop) {
  while (at < stop) {
    uint64_t word;
    int i;
    for (; stop - at >= 8; at += 8, out += 8) {
      memcpy(&word, at, sizeof word);
      if (find_escapes(word))
        break;
      memcpy(out, &word, sizeof word);
    }
    for (i = 0; i < 8 && at < stop; i++)
      out = put_escaped(out, (unsigned char)*at++);
  }
  return out;
}

static int put_rest(struct writer *writer, const char *at, const char *end) {
  enum { PIECE = 256 }; /* room is made for one at a time, as if all of it were escaped */
  if (!beam__utf8_valid(at, (size_t)(end - at)))
    return 0;
  while (at < end) {
    const char *stop = end - at > PIECE ? at + PIECE : end;
    reserve(writer, (size_t)(stop - at) * ESCAPE_MOST);
    writer->at = put_piece(writer->at, at, stop);
    at = stop;
  }
  return 1;
}

/* The string at `index`. */
static int write_string(struct writer *writer, int index) {
  size_t len;
  const char *at = lua_tolstring(writer->L, index, &len), *end = at + len;
  reserve(writer, len + 2);
  *writer->at++ = '"';
  at = put_plain(writer, at, end);
  if (at < end && !put_rest(writer, at, end))
    return 0;
  put_char(writer, '"');
  return 1;
}

/* ---- Numbers ---- */

#if LUA_VERSION_NUM >= 503

static int write_integer(struct writer *writer) {
  const lua_Integer exact = (lua_Integer)1 << 53; /* up to it a double is every integer */
  lua_Integer value = lua_tointeger(writer->L, -1);
  if (!lua_isinteger(writer->L, -1))
    return 0;
  writer->large |= value > exact || value < -exact;
  writer->at += beam__decimal_write_integer(value, writer->at);
  return 1;
}

#else

static int write_integer(struct writer *writer) {
  const double exact = 9007199254740992.0; /* 2^53: up to it a double is every integer */
  double value = (double)lua_tonumber(writer->L, -1);
  if (!(value >= -exact && value <= exact) || value != (double)(int64_t)value || (value == 0 && signbit(value)))
    return 0;
  writer->at += beam__decimal_write_integer((int64_t)value, writer->at);
  return 1;
}

#endif

static int write_number(struct writer *writer) {
  double value;
  reserve(writer, BEAM__DECIMAL_SIZE);
  if (write_integer(writer))
    return 1;
  value = (double)lua_tonumber(writer->L, -1);
  if (!isfinite(value))
    return 0;
  writer->at += beam__decimal_write(value, writer->at);
  return 1;
}

/* ---- Arrays and objects ---- */

static int write_value(struct writer *writer);

/* Whether a table is marked as an array. */
static int is_marked(lua_State *L, int table) {
  int marked;
  if (!lua_getmetatable(L, table))
    return 0;
  marked = lua_rawequal(L, -1, lua_upvalueindex(JSON_ARRAY)) || lua_rawequal(L, -1, lua_upvalueindex(JSON_EMPTY_ARRAY));
  lua_pop(L, 1);
  return marked;
}

static int close(struct writer *writer, char bracket) {
  writer->at[-1] = bracket; /* for the last comma */
  return 1;
}

/* The number of keys, if all of them are numbers, or -1. */
static int count_numbers(lua_State *L, int table) {
  int count = 0;
  for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1), count++)
    if (lua_type(L, -2) != LUA_TNUMBER) {
      lua_pop(L, 2);
      return -1;
    }
  return count;
}

/* An array whose items do not stand in their order: if there are as many keys as positions without a hole, that is all.
 */
static int write_scattered(struct writer *writer, int table) {
  int count = count_numbers(writer->L, table), i;
  put_char(writer, '[');
  for (i = 1; i <= count; i++) {
    lua_rawgeti(writer->L, table, i);
    if (lua_isnil(writer->L, -1) || !write_value(writer))
      return 0;
    lua_pop(writer->L, 1);
    put_char(writer, ',');
  }
  return count > 0 && close(writer, ']');
}

/* The first key and value are on the stack. */
static int write_array(struct writer *writer, int table) {
  lua_State *L = writer->L;
  size_t start = (size_t)(writer->at - writer->text);
  int n = 1;
  put_char(writer, '[');
  do {
    if (lua_type(L, -2) != LUA_TNUMBER)
      return 0;
    if (lua_tonumber(L, -2) != n) {
      lua_pop(L, 2);
      writer->at = writer->text + start;
      return write_scattered(writer, table);
    }
    if (!write_value(writer))
      return 0;
    put_char(writer, ',');
    lua_pop(L, 1);
    n++;
  } while (lua_next(L, table));
  return close(writer, ']');
}

/* The same for names. */
static int write_object(struct writer *writer, int table) {
  lua_State *L = writer->L;
  if (is_marked(L, table))
    return 0;
  put_char(writer, '{');
  do {
    if (lua_type(L, -2) != LUA_TSTRING || !write_string(writer, -2))
      return 0;
    put_char(writer, ':');
    if (!write_value(writer))
      return 0;
    put_char(writer, ',');
    lua_pop(L, 1);
  } while (lua_next(L, table));
  return close(writer, '}');
}

static int write_table(struct writer *writer) {
  lua_State *L = writer->L;
  int table = lua_gettop(L), written;
  if (writer->depth == writer->max_depth)
    return 0;
  luaL_checkstack(L, 8, "JSON");
  writer->depth++;
  lua_pushnil(L);
  if (!lua_next(L, table))
    written = put(writer, is_marked(L, table) ? "[]" : "{}", 2);
  else
    written = lua_type(L, -2) == LUA_TSTRING ? write_object(writer, table) : write_array(writer, table);
  writer->depth--;
  return written;
}

/* null, or what lua-cjson has for an empty array. */
static int write_special(struct writer *writer) {
  lua_State *L = writer->L;
  if (lua_rawequal(L, -1, lua_upvalueindex(JSON_NULL)) || lua_isnil(L, -1))
    return put(writer, "null", 4);
  return lua_rawequal(L, -1, lua_upvalueindex(JSON_EMPTY)) && put(writer, "[]", 2);
}

/* The value on top of the stack, which stays there. 0: it cannot be written, and the stack is anyhow. */
static int write_value(struct writer *writer) {
  switch (lua_type(writer->L, -1)) {
  case LUA_TSTRING:
    return write_string(writer, -1);
  case LUA_TNUMBER:
    return write_number(writer);
  case LUA_TTABLE:
    return write_table(writer);
  case LUA_TBOOLEAN:
    return lua_toboolean(writer->L, -1) ? put(writer, "true", 4) : put(writer, "false", 5);
  default:
    return write_special(writer);
  }
}

/* Nothing can be written: the function in Lua has the words for it. */
static int explain(lua_State *L) {
  lua_settop(L, ARGUMENT_VALUE);
  lua_pushvalue(L, lua_upvalueindex(JSON_EXPLAIN));
  lua_insert(L, ARGUMENT_VALUE);
  lua_call(L, 1, 2);
  return 2;
}

static int encode(lua_State *L, int checked) {
  struct writer writer;
  struct long_text *held;
  int written;
  writer.L = L;
  writer.text = writer.at = writer.first;
  writer.end = writer.first + sizeof writer.first;
  writer.depth = writer.large = 0;
  writer.max_depth = (int)lua_tointeger(L, lua_upvalueindex(JSON_MAX_DEPTH));
  lua_settop(L, ARGUMENT_VALUE);
  lua_pushnil(L); /* ARGUMENT_TEXT */
  lua_pushvalue(L, ARGUMENT_VALUE);
  written = write_value(&writer);
  if (written)
    lua_pushlstring(L, writer.text, (size_t)(writer.at - writer.text));
  held = lua_touserdata(L, ARGUMENT_TEXT);
  if (held)
    long_text_resize(L, held, 0);
  if (!written)
    return explain(L);
  if (!checked)
    return 1;
  lua_pushboolean(L, writer.large);
  return 2;
}

int json_encode(lua_State *L) { return encode(L, 0); }
int json_encode_checked(lua_State *L) { return encode(L, 1); }
