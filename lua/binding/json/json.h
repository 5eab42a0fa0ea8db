/* JSON to Lua values and back, exactly (core.lua: core.json). Only json/reader.c and json/writer.c: they need no more
 * of libbeam than decimal.h and utf8.h, and no context.
 */
#pragma once

#include "compat.h"

#pragma GCC visibility push(hidden)

/* core.json(marks): pushes decode, encode and encode_checked. */
int json_new(lua_State *L);

/* The upvalues of all three: the fields of `marks`, and for those that encode what frees their text. */
enum {
  JSON_NULL = 1,
  JSON_ARRAY,       /* metatable */
  JSON_EMPTY_ARRAY, /* metatable */
  JSON_EMPTY,       /* a value that is written as [], or nil */
  JSON_EXPLAIN,     /* function */
  JSON_MAX_DEPTH,
  JSON_TEXT_CLASS /* metatable */
};

/* Pushes the fields of `marks`, as upvalues. */
void json_push_marks(lua_State *L, int marks);
/* Inside a function with these upvalues. `text` is followed by a NUL. Pushes the value and returns 1, or what is wrong
 * and 0, both perhaps with more beneath. */
int json_decode_bytes(lua_State *L, const char *text, size_t len);
int json_decode(lua_State *L);
int json_encode(lua_State *L);
int json_encode_checked(lua_State *L);
int json_text_free(lua_State *L); /* __gc of the text class */

#pragma GCC visibility pop
