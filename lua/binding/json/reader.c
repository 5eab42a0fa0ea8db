/* A JSON reader (RFC 8259) that makes Lua values. Numbers keep their kind and all their digits, an empty array is
 * marked. Two liberties: NaN and Infinity, which Python's json writes, are read as null; control characters and bytes
 * that are no UTF-8 pass in strings; a byte order mark at the start is passed over, as section 8.1 allows.
 * lua/beam/json/reader.lua is the same in Lua, to the words of its messages.
 *
 * Recursive descent. A function reads from `at` on, pushes one value and returns 1; or pushes the message and returns
 * 0, and then all return at once.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/decimal.h"
#include "json/json.h"

struct reader {
  lua_State *L;
  const char *start, *at, *end; /* *end is NUL, as behind every Lua string */
  int depth, max_depth;
};

static int fail(const struct reader *reader, const char *at, const char *what) {
  lua_pushfstring(reader->L, "invalid JSON at character %d: %s", (int)(at - reader->start) + 1, what);
  return 0;
}

/* A message about a literal, of which its first characters are shown. */
static int fail_number(const struct reader *reader, const char *at, size_t len, const char *format) {
  enum { SHOWN = 40 };
  const char *literal;
  lua_pushlstring(reader->L, at, len < SHOWN ? len : SHOWN);
  literal = lua_pushfstring(reader->L, "%s%s", lua_tostring(reader->L, -1), len > SHOWN ? "..." : "");
  return fail(reader, at, lua_pushfstring(reader->L, format, literal));
}

static void skip_space(struct reader *reader) {
  while (*reader->at == ' ' || *reader->at == '\n' || *reader->at == '\r' || *reader->at == '\t')
    reader->at++;
}

static int is_digit(char c) { return c >= '0' && c <= '9'; }
static int is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/* ---- Numbers ---- */

#if LUA_VERSION_NUM >= 503

/* Up to 64 bits. `digits` of them make up `value`, which has wrapped round if they are more than 19. */
static int push_integer(const struct reader *reader, const char *at, size_t digits, uint64_t value) {
  int negative = *at == '-';
  if (digits > 19 || value > (uint64_t)INT64_MAX + (uint64_t)negative)
    return fail_number(reader, at, digits + (size_t)negative, "the integer %s does not fit in 64 bits");
  lua_pushinteger(reader->L, (lua_Integer)(negative ? 0 - value : value));
  return 1;
}

#else

/* Up to 2^53, which a double holds. */
static int push_integer(const struct reader *reader, const char *at, size_t digits, uint64_t value) {
  int negative = *at == '-';
  if (digits > 16 || value > 1ull << 53)
    return fail_number(reader, at, digits + (size_t)negative,
                       "the integer %s is beyond 2^53, which this Lua cannot hold (Lua 5.3 and later can)");
  lua_pushnumber(reader->L, negative ? -(double)value : (double)value);
  return 1;
}

#endif

static int push_float(const struct reader *reader, const char *at, size_t len) {
  double value = beam__decimal_read(at, len);
  if (isinf(value))
    return fail_number(reader, at, len, "the number %s is too large for a double");
  lua_pushnumber(reader->L, value);
  return 1;
}

static const char *skip_digits(const char *at) {
  while (is_digit(*at))
    at++;
  return at;
}

/* Past the fraction and the exponent, as far as they are well-formed. */
static const char *skip_fraction(const char *at) {
  if (at[0] == '.' && is_digit(at[1]))
    at = skip_digits(at + 1);
  if (at[0] == 'e' || at[0] == 'E') {
    const char *exponent = at + (at[1] == '+' || at[1] == '-' ? 2 : 1);
    if (is_digit(*exponent))
      at = skip_digits(exponent);
  }
  return at;
}

static int read_number(struct reader *reader) {
  const char *literal = reader->at, *first = literal + (*literal == '-'), *last, *stop;
  uint64_t value = 0;
  for (last = first; is_digit(*last); last++)
    value = value * 10 + (uint64_t)(*last - '0');
  if (last == first)
    return fail(reader, literal, "a value was expected");
  if (*first == '0' && last - first > 1)
    return fail(reader, literal, "a number with a leading zero");
  stop = skip_fraction(last);
  if (is_digit(*stop) || is_letter(*stop) || *stop == '.' || *stop == '+' || *stop == '-')
    return fail(reader, literal, "a malformed number");
  reader->at = stop;
  if (stop == last)
    return push_integer(reader, literal, (size_t)(last - first), value);
  return push_float(reader, literal, (size_t)(stop - literal));
}

/* ---- Words ---- */

static const struct word {
  const char *text;
  enum { WORD_FALSE, WORD_TRUE, WORD_NULL } value;
} words[] = {{"true", WORD_TRUE}, {"false", WORD_FALSE},   {"null", WORD_NULL},
             {"NaN", WORD_NULL},  {"Infinity", WORD_NULL}, {"-Infinity", WORD_NULL}};

static int read_word(struct reader *reader) {
  const char *stop = reader->at + (*reader->at == '-');
  size_t len, i;
  while (is_letter(*stop))
    stop++;
  len = (size_t)(stop - reader->at);
  for (i = 0; i < sizeof words / sizeof *words; i++)
    if (strlen(words[i].text) == len && memcmp(words[i].text, reader->at, len) == 0) {
      if (words[i].value == WORD_NULL)
        lua_pushvalue(reader->L, lua_upvalueindex(JSON_NULL));
      else
        lua_pushboolean(reader->L, words[i].value == WORD_TRUE);
      reader->at = stop;
      return 1;
    }
  return fail(reader, reader->at, "a value was expected");
}

/* ---- Strings ---- */

/* Whether one of 8 bytes is a quote or a backslash. */
static int has_special(const char *at) {
  const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
  uint64_t word, quote, backslash;
  memcpy(&word, at, sizeof word);
  quote = word ^ (ones * '"');
  backslash = word ^ (ones * '\\');
  return (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash)) & highs ? 1 : 0;
}

static const char *find_special(const char *at, const char *end) {
  while (end - at >= 8 && !has_special(at))
    at += 8;
  while (at < end && *at != '"' && *at != '\\')
    at++;
  return at;
}

/* Four hexadecimal digits, or -1. */
static int read_hex(const char *at) {
  int i, code = 0;
  for (i = 0; i < 4; i++) {
    char c = at[i];
    if (!is_digit(c) && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F'))
      return -1;
    code = code * 16 + (is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return code;
}

static char *put_utf8(char *out, unsigned code) {
  if (code < 0x80) {
    *out++ = (char)code;
  } else if (code < 0x800) {
    *out++ = (char)(0xC0 | code >> 6);
  } else if (code < 0x10000) {
    *out++ = (char)(0xE0 | code >> 12);
    *out++ = (char)(0x80 | (code >> 6 & 0x3F));
  } else {
    *out++ = (char)(0xF0 | code >> 18);
    *out++ = (char)(0x80 | (code >> 12 & 0x3F));
    *out++ = (char)(0x80 | (code >> 6 & 0x3F));
  }
  if (code >= 0x80)
    *out++ = (char)(0x80 | (code & 0x3F));
  return out;
}

/* \uXXXX at `at`, or a pair of surrogates. Returns what follows, or NULL after fail. */
static const char *read_unicode(const struct reader *reader, const char *at, char **out) {
  int code = read_hex(at + 2), low = -1;
  if (code < 0) {
    fail(reader, at, "\\u wants four hexadecimal digits");
    return NULL;
  }
  if (code < 0xD800 || code > 0xDFFF) {
    *out = put_utf8(*out, (unsigned)code);
    return at + 6;
  }
  if (code < 0xDC00 && at[6] == '\\' && at[7] == 'u')
    low = read_hex(at + 8);
  if (low < 0xDC00 || low > 0xDFFF) {
    lua_pushlstring(reader->L, at + 2, 4);
    fail(reader, at,
         lua_pushfstring(reader->L, "a lone surrogate \\u%s, which no UTF-8 text can hold",
                         lua_tostring(reader->L, -1)));
    return NULL;
  }
  *out = put_utf8(*out, 0x10000 + ((unsigned)code - 0xD800) * 0x400 + (unsigned)low - 0xDC00);
  return at + 12;
}

static const char *read_escape(const struct reader *reader, const char *at, char **out) {
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  const char *found = at[1] ? strchr(from, at[1]) : NULL;
  if (at[1] == 'u')
    return read_unicode(reader, at, out);
  if (!found) {
    fail(reader, at, "an unknown escape");
    return NULL;
  }
  *(*out)++ = to[found - from];
  return at + 2;
}

/* The place of the closing quote, or the end. */
static const char *find_quote(const char *at, const char *end) {
  for (at = find_special(at, end); at < end && *at == '\\'; at = find_special(at, end))
    at += end - at > 1 ? 2 : 1;
  return at;
}

/* The rest of a string from its first escape on: what an escape stands for is never longer than the escape. */
static int read_escaped(struct reader *reader, const char *start, const char *escape) {
  enum { SHORT = 1024 };
  char room[SHORT], *text = room, *out;
  size_t most = (size_t)(find_quote(escape, reader->end) - start);
  const char *at = escape;
  if (most > SHORT)
    text = lua_newuserdata(reader->L, most);
  memcpy(text, start, (size_t)(escape - start));
  out = text + (escape - start);
  while (*at == '\\' && at < reader->end) {
    const char *stop;
    at = read_escape(reader, at, &out);
    if (!at)
      return 0;
    stop = find_special(at, reader->end);
    memcpy(out, at, (size_t)(stop - at));
    out += stop - at;
    at = stop;
  }
  if (at == reader->end)
    return fail(reader, at, "the string has no end");
  lua_pushlstring(reader->L, text, (size_t)(out - text));
  if (text != room)
    lua_remove(reader->L, -2);
  reader->at = at + 1;
  return 1;
}

static int read_string(struct reader *reader) {
  const char *start = reader->at + 1, *stop = find_special(start, reader->end);
  if (stop == reader->end)
    return fail(reader, stop, "the string has no end");
  if (*stop == '\\')
    return read_escaped(reader, start, stop);
  lua_pushlstring(reader->L, start, (size_t)(stop - start));
  reader->at = stop + 1;
  return 1;
}

/* ---- Arrays and objects ---- */

static int read_value(struct reader *reader);

static int read_items(struct reader *reader) {
  int n;
  for (n = 1;; n++) {
    if (!read_value(reader))
      return 0;
    lua_rawseti(reader->L, -2, n);
    skip_space(reader);
    if (*reader->at == ']')
      break;
    if (*reader->at != ',')
      return fail(reader, reader->at, "',' or ']' was expected");
    reader->at++;
    skip_space(reader);
  }
  reader->at++;
  return 1;
}

static int read_members(struct reader *reader) {
  for (;;) {
    if (*reader->at != '"')
      return fail(reader, reader->at, "a key in quotes was expected");
    if (!read_string(reader))
      return 0;
    skip_space(reader);
    if (*reader->at != ':')
      return fail(reader, reader->at, "':' was expected");
    reader->at++;
    skip_space(reader);
    if (!read_value(reader))
      return 0;
    lua_rawset(reader->L, -3);
    skip_space(reader);
    if (*reader->at == '}')
      break;
    if (*reader->at != ',')
      return fail(reader, reader->at, "',' or '}' was expected");
    reader->at++;
    skip_space(reader);
  }
  reader->at++;
  return 1;
}

static int read_table(struct reader *reader) {
  char open = *reader->at;
  if (reader->depth == reader->max_depth)
    return fail(reader, reader->at, lua_pushfstring(reader->L, "nested deeper than %d levels", reader->max_depth));
  luaL_checkstack(reader->L, 8, "JSON");
  lua_newtable(reader->L);
  if (open == '[') { /* so that it stays an array when it is or becomes empty */
    lua_pushvalue(reader->L, lua_upvalueindex(JSON_ARRAY));
    lua_setmetatable(reader->L, -2);
  }
  reader->at++;
  skip_space(reader);
  if (*reader->at == (open == '[' ? ']' : '}')) {
    reader->at++;
    return 1;
  }
  reader->depth++;
  if (!(open == '[' ? read_items(reader) : read_members(reader)))
    return 0;
  reader->depth--;
  return 1;
}

static int read_value(struct reader *reader) {
  char c = *reader->at;
  if (c == '"')
    return read_string(reader);
  if (c == '{' || c == '[')
    return read_table(reader);
  if (is_letter(c) || (c == '-' && is_letter(reader->at[1])))
    return read_word(reader);
  return read_number(reader);
}

/* That of UTF-8 is passed over; the others (files of Windows' tools) are named. Returns 0 after fail. */
static int skip_byte_order_mark(struct reader *reader) {
  const char *at = reader->at;
  if (strncmp(at, "\xff\xfe", 2) == 0 || strncmp(at, "\xfe\xff", 2) == 0)
    return fail(reader, at, "the text is UTF-16 or UTF-32, and JSON is UTF-8");
  if (strncmp(at, "\xef\xbb\xbf", 3) == 0)
    reader->at += 3;
  return 1;
}

int json_decode_bytes(lua_State *L, const char *text, size_t len) {
  struct reader reader = {.L = L, .start = text, .at = text, .end = text + len};
  reader.max_depth = (int)lua_tointeger(L, lua_upvalueindex(JSON_MAX_DEPTH));
  if (!skip_byte_order_mark(&reader))
    return 0;
  skip_space(&reader);
  if (!read_value(&reader))
    return 0;
  skip_space(&reader);
  return reader.at == reader.end || fail(&reader, reader.at, "the text goes on after its value");
}

int json_decode(lua_State *L) {
  const char *text;
  size_t len;
  lua_settop(L, 1);
  if (lua_type(L, 1) != LUA_TSTRING)
    return luaL_error(L, "json.decode wants a string, not a %s", luaL_typename(L, 1));
  text = lua_tolstring(L, 1, &len);
  if (json_decode_bytes(L, text, len))
    return 1;
  lua_pushnil(L);
  lua_insert(L, -2);
  return 2;
}
