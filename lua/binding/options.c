/* Option tables, read strictly: what is unknown or of a wrong type raises and names the option, never its value, which
 * may be a secret. */
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "binding.h"

enum {
  HEADERS_MAX = 1024,
  ANCHOR_USUAL = 12 /* places made at once; it grows as needed */
};

struct reader {
  lua_State *L;
  int argument;       /* the method's argument, for the error */
  int anchor;         /* stack index of the table that keeps what C points to */
  int *anchored;      /* how much it keeps */
  const char *within; /* "tls" inside of `tls`, else "" */
};

/* "tls.insecure"; pushed, unless it is `name` itself. */
static const char *full_name(const struct reader *reader, const char *name) {
  return *reader->within ? lua_pushfstring(reader->L, "%s.%s", reader->within, name) : name;
}

static int refuse(const struct reader *reader, const char *name, const char *expected) {
  lua_State *L = reader->L;
  const char *type = lua_typename(L, lua_type(L, -1));
  const char *text = lua_pushfstring(L, "option '%s' must be %s, not %s", full_name(reader, name), expected, type);
  return luaL_argerror(L, reader->argument, text);
}

static int refuse_value(const struct reader *reader, const char *name, const char *rule) {
  const char *text = lua_pushfstring(reader->L, "option '%s' must be %s", full_name(reader, name), rule);
  return luaL_argerror(reader->L, reader->argument, text);
}

/* Keeps the value on top of the stack, which stays there. */
static int anchor(struct reader *reader) {
  int place = ++*reader->anchored;
  lua_pushvalue(reader->L, -1);
  lua_rawseti(reader->L, reader->anchor, place);
  return place;
}

/* ---- One option each: the value is on top of the stack ---- */

static const char *string(struct reader *reader, const char *name, size_t *len) {
  if (lua_type(reader->L, -1) != LUA_TSTRING)
    refuse(reader, name, "a string");
  anchor(reader);
  return lua_tolstring(reader->L, -1, len);
}

static const char *text(struct reader *reader, const char *name) {
  size_t len;
  const char *value = string(reader, name, &len);
  if (strlen(value) != len)
    refuse_value(reader, name, "without NUL characters");
  return value;
}

static double number(struct reader *reader, const char *name, const char *expected) {
  if (lua_type(reader->L, -1) != LUA_TNUMBER)
    refuse(reader, name, expected);
  return (double)lua_tonumber(reader->L, -1);
}

static uint64_t integer(struct reader *reader, const char *name, uint64_t least, uint64_t most, const char *expected) {
  double value = number(reader, name, expected);
  if (!(value >= (double)least && value <= (double)most) || value != (double)(uint64_t)value)
    refuse_value(reader, name, expected);
  return (uint64_t)value;
}

void read_text(struct reader *reader, const struct field *field, void *to) {
  *(const char **)to = text(reader, field->name);
}

void read_bytes(struct reader *reader, const struct field *field, void *to) {
  size_t *len = (size_t *)(void *)((char *)to - field->offset + field->length_offset);
  *(const void **)to = string(reader, field->name, len);
}

void read_boolean(struct reader *reader, const struct field *field, void *to) {
  if (!lua_isboolean(reader->L, -1))
    refuse(reader, field->name, "a boolean");
  *(int *)to = lua_toboolean(reader->L, -1);
}

void read_size(struct reader *reader, const struct field *field, void *to) {
  uint64_t most = SIZE_MAX < (1ull << 53) ? SIZE_MAX : 1ull << 53;
  *(size_t *)to = (size_t)integer(reader, field->name, 1, most, "a whole number of bytes, at least 1");
}

void read_length(struct reader *reader, const struct field *field, void *to) {
  *(uint64_t *)to = integer(reader, field->name, 1, 1ull << 53, "a whole number of bytes, at least 1");
}

void read_count(struct reader *reader, const struct field *field, void *to) {
  *(unsigned *)to = (unsigned)integer(reader, field->name, 1, UINT_MAX, "a whole number, at least 1");
}

void read_port(struct reader *reader, const struct field *field, void *to) {
  *(unsigned *)to = (unsigned)integer(reader, field->name, 0, 65535, "a port, 0 to 65535");
}

/* Rounded up: a time-out never comes early. The small term takes back the error of binary fractions (0.07 * 1000). */
static double milliseconds(double seconds) {
  double value = seconds * 1000 - 1e-6, whole = (double)(uint64_t)(value > 0 ? value : 0);
  return whole < value ? whole + 1 : whole;
}

void read_seconds(struct reader *reader, const struct field *field, void *to) {
  double seconds = number(reader, field->name, "a number of seconds");
  if (!(seconds >= 0 && seconds <= UINT_MAX / 1000))
    refuse_value(reader, field->name, "seconds from 0 to 4294967; leave it out for the default");
  *(unsigned *)to = seconds < 0.001 ? 1 : (unsigned)milliseconds(seconds); /* 0 means the default to libbeam */
}

void read_choice(struct reader *reader, const struct field *field, void *to) {
  const char *const *names = field->detail;
  const char *value = text(reader, field->name);
  luaL_Buffer list;
  int i;
  for (i = 0; names[i]; i++)
    if (strcmp(names[i], value) == 0) {
      *(int *)to = i;
      return;
    }
  luaL_buffinit(reader->L, &list);
  luaL_addstring(&list, "one of");
  for (i = 0; names[i]; i++) {
    luaL_addstring(&list, i ? ", " : " ");
    luaL_addstring(&list, names[i]);
  }
  luaL_pushresult(&list);
  refuse_value(reader, field->name, lua_tostring(reader->L, -1));
}

void read_function(struct reader *reader, const struct field *field, void *to) {
  if (!lua_isfunction(reader->L, -1))
    refuse(reader, field->name, "a function");
  *(int *)to = anchor(reader);
}

/* ---- Headers ---- */

static const char HEADERS_FORM[] = "an array of {name, value} pairs of strings without NUL";

static const char *header_part(struct reader *reader, const char *name, int part) {
  const char *value;
  size_t len;
  lua_rawgeti(reader->L, -1, part);
  if (lua_type(reader->L, -1) != LUA_TSTRING)
    refuse_value(reader, name, HEADERS_FORM);
  anchor(reader);
  value = lua_tolstring(reader->L, -1, &len);
  if (strlen(value) != len)
    refuse_value(reader, name, HEADERS_FORM);
  lua_pop(reader->L, 1);
  return value;
}

/* An array has no further keys: {["X-Name"] = "value"} must not pass for an empty one. */
static int is_array(lua_State *L, size_t count) {
  size_t found = 0;
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
    found++;
  return found == count;
}

static size_t headers(struct reader *reader, const char *name, const beam_header **to) {
  lua_State *L = reader->L;
  size_t count = lua_istable(L, -1) ? lua_rawlen(L, -1) : 0, i;
  beam_header *list;
  if (!lua_istable(L, -1) || !is_array(L, count))
    refuse_value(reader, name, HEADERS_FORM);
  if (count > HEADERS_MAX)
    refuse_value(reader, name, "shorter: at most 1024 headers are taken");
  list = lua_newuserdata(L, (count + 1) * sizeof *list);
  anchor(reader);
  lua_pop(L, 1);
  for (i = 0; i < count; i++) {
    lua_rawgeti(L, -1, (int)i + 1);
    if (!lua_istable(L, -1))
      refuse_value(reader, name, HEADERS_FORM);
    list[i].name = header_part(reader, name, 1);
    list[i].value = header_part(reader, name, 2);
    lua_pop(L, 1);
  }
  *to = list;
  return count;
}

void read_headers(struct reader *reader, const struct field *field, void *to) {
  size_t *count = (size_t *)(void *)((char *)to - field->offset + field->length_offset);
  *count = headers(reader, field->name, to);
}

/* ---- Tables ---- */

static int refuse_unknown(struct reader *reader, const struct field *fields) {
  lua_State *L = reader->L;
  luaL_Buffer list;
  const char *separator = "", *dot = *reader->within ? "." : "";
  const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : luaL_typename(L, -2);
  luaL_buffinit(L, &list);
  for (; fields->name; fields++, separator = ", ") {
    luaL_addstring(&list, separator);
    luaL_addstring(&list, reader->within);
    luaL_addstring(&list, dot);
    luaL_addstring(&list, fields->name);
  }
  luaL_pushresult(&list);
  lua_pushfstring(L, "unknown option '%s%s%s'; known are %s", reader->within, dot, key, lua_tostring(L, -1));
  return luaL_argerror(L, reader->argument, lua_tostring(L, -1));
}

static const struct field *find(const struct field *fields, lua_State *L, int key) {
  const char *name;
  if (lua_type(L, key) != LUA_TSTRING)
    return NULL;
  name = lua_tostring(L, key);
  for (; fields->name; fields++)
    if (*fields->name == *name && strcmp(fields->name, name) == 0)
      return fields;
  return NULL;
}

/* The table is on top of the stack. */
static void read_fields(struct reader *reader, const struct field *fields, void *to) {
  lua_State *L = reader->L;
  luaL_checkstack(L, 16, "options");
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    const struct field *field = find(fields, L, -2);
    if (field)
      field->read(reader, field, (char *)to + field->offset);
    else
      refuse_unknown(reader, fields);
  }
}

void read_table(struct reader *reader, const struct field *field, void *to) {
  struct reader inner = *reader;
  if (!lua_istable(reader->L, -1))
    refuse(reader, field->name, "a table");
  inner.within = field->name;
  read_fields(&inner, field->detail, to);
}

static void reader_start(struct reader *reader, lua_State *L, int argument, int *anchored) {
  *anchored = 0;
  reader->anchored = anchored;
  lua_createtable(L, ANCHOR_USUAL, 0);
  reader->L = L;
  reader->argument = argument;
  reader->anchor = lua_gettop(L);
  reader->within = "";
  lua_pushvalue(L, argument);
}

void options_read(lua_State *L, int argument, const struct field *fields, void *options) {
  struct reader reader;
  int anchored;
  luaL_checktype(L, argument, LUA_TTABLE);
  reader_start(&reader, L, argument, &anchored);
  read_fields(&reader, fields, options);
  lua_pop(L, 1);
}

void options_read_headers(lua_State *L, int argument, const beam_header **list, size_t *count) {
  struct reader reader;
  int anchored;
  reader_start(&reader, L, argument, &anchored);
  *count = lua_isnoneornil(L, argument) ? 0 : headers(&reader, "headers", list);
  lua_pop(L, 1);
}

/* ---- What several classes read ---- */

/* In the order of enum beam_auth_scheme. */
static const char *const schemes[] = {"none", "bearer", "basic", "raw", "query", NULL};

static const struct field auth_fields[] = {{"scheme", read_choice, offsetof(beam_auth, scheme), 0, schemes},
                                           {"id", read_text, offsetof(beam_auth, id), 0, NULL},
                                           {"secret", read_text, offsetof(beam_auth, secret), 0, NULL},
                                           {"plaintext", read_boolean, offsetof(beam_auth, plaintext), 0, NULL},
                                           {NULL, NULL, 0, 0, NULL}};

void read_auth(struct reader *reader, const struct field *field, void *to) {
  struct field table = *field;
  table.detail = auth_fields;
  read_table(reader, &table, to);
  lua_pushliteral(reader->L, "scheme");
  lua_rawget(reader->L, -2);
  if (lua_isnil(reader->L, -1))
    refuse(reader, "auth.scheme", "given");
  lua_pop(reader->L, 1);
}

const struct field tls_fields[] = {{"ca_file", read_text, offsetof(beam_tls, ca_file), 0, NULL},
                                   {"cert_file", read_text, offsetof(beam_tls, cert_file), 0, NULL},
                                   {"key_file", read_text, offsetof(beam_tls, key_file), 0, NULL},
                                   {"key_passphrase", read_text, offsetof(beam_tls, key_passphrase), 0, NULL},
                                   {"insecure", read_boolean, offsetof(beam_tls, insecure), 0, NULL},
                                   {NULL, NULL, 0, 0, NULL}};

/* ---- Arguments of methods ---- */

const char *check_bytes(lua_State *L, int argument, size_t *len) {
  luaL_checktype(L, argument, LUA_TSTRING);
  return lua_tolstring(L, argument, len);
}

const char *check_text(lua_State *L, int argument) {
  size_t len;
  const char *value = check_bytes(L, argument, &len);
  luaL_argcheck(L, strlen(value) == len, argument, "the string must be without NUL characters");
  return value;
}

static lua_Number check_number(lua_State *L, int argument) {
  luaL_checktype(L, argument, LUA_TNUMBER);
  return lua_tonumber(L, argument);
}

lua_Integer check_integer(lua_State *L, int argument, lua_Integer least, lua_Integer most) {
  lua_Number value = check_number(L, argument);
  if (!(value >= (lua_Number)least && value <= (lua_Number)most) || value != (lua_Number)(lua_Integer)value)
    luaL_argerror(L, argument, lua_pushfstring(L, "a whole number from %d to %d is expected", (int)least, (int)most));
  return (lua_Integer)value;
}

double check_milliseconds(lua_State *L, int argument) {
  lua_Number seconds = check_number(L, argument);
  luaL_argcheck(L, seconds >= 0 && seconds <= 1e12, argument, "seconds from 0 to 1e12 are expected");
  return milliseconds(seconds);
}
