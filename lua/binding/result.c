/* Errors, headers and responses as Lua tables. */
#include <stdio.h>
#include <string.h>

#include "binding.h"

#define ERROR_CLASS "beam.core.error"

static int error_to_string(lua_State *L) {
  lua_getfield(L, 1, "message");
  return 1;
}

void result_setup(lua_State *L) {
  luaL_newmetatable(L, ERROR_CLASS);
  lua_pushliteral(L, ERROR_CLASS);
  lua_setfield(L, -2, "__name");
  lua_pushcfunction(L, error_to_string);
  lua_setfield(L, -2, "__tostring");
  lua_pop(L, 1);
}

void push_error(lua_State *L, const beam_error *error) {
  lua_createtable(L, 0, 6);
  lua_pushstring(L, beam_error_kind(error->code));
  lua_setfield(L, -2, "kind");
  lua_pushstring(L, error->message);
  lua_setfield(L, -2, "message");
  lua_pushstring(L, beam_phase_name(error->phase));
  lua_setfield(L, -2, "phase");
  lua_pushstring(L, error->host);
  lua_setfield(L, -2, "host");
  lua_pushboolean(L, error->sent);
  lua_setfield(L, -2, "sent");
  if (error->status) {
    lua_pushinteger(L, error->status);
    lua_setfield(L, -2, "status");
  }
  luaL_getmetatable(L, ERROR_CLASS);
  lua_setmetatable(L, -2);
}

static void push_pair(lua_State *L, const beam_header *header) {
  lua_createtable(L, 2, 0);
  lua_pushstring(L, header->name);
  lua_rawseti(L, -2, 1);
  lua_pushstring(L, header->value);
  lua_rawseti(L, -2, 2);
}

void push_headers(lua_State *L, const beam_header *headers, size_t count) {
  size_t i;
  lua_createtable(L, (int)count, 0);
  for (i = 0; i < count; i++) {
    push_pair(L, &headers[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
}

/* Whether a header of this name has been pushed. */
static int came_before(const beam_header *headers, size_t at) {
  size_t i;
  for (i = 0; i < at; i++)
    if (headers[i].name[0] == headers[at].name[0] && !strcmp(headers[i].name, headers[at].name))
      return 1;
  return 0;
}

static void push_joined(lua_State *L, const char *more) { /* RFC 9110 section 5.3 */
  lua_pushvalue(L, -1);
  lua_rawget(L, -3);
  lua_pushliteral(L, ", ");
  lua_pushstring(L, more);
  lua_concat(L, 3);
}

void push_headers_by_name(lua_State *L, const beam_header *headers, size_t count) {
  size_t i;
  lua_createtable(L, 0, (int)count);
  for (i = 0; i < count; i++) {
    lua_pushstring(L, headers[i].name);
    if (came_before(headers, i))
      push_joined(L, headers[i].value);
    else
      lua_pushstring(L, headers[i].value);
    lua_rawset(L, -3);
  }
}

void push_response(lua_State *L, int status, const beam_header *headers, size_t count, const char *body, size_t len,
                   void (*push)(lua_State *L, const beam_header *headers, size_t count)) {
  lua_createtable(L, 0, 4); /* with its times */
  if (status) {
    lua_pushinteger(L, status);
    lua_setfield(L, -2, "status");
    push(L, headers, count);
    lua_setfield(L, -2, "headers");
  }
  if (body) {
    lua_pushlstring(L, body, len);
    lua_setfield(L, -2, "body");
  }
}

int result_error(lua_State *L, const beam_error *error) {
  lua_pushnil(L);
  push_error(L, error);
  return 2;
}

int result_code(lua_State *L, int code, enum beam_phase phase, const char *text) {
  beam_error error = {.code = code, .phase = phase};
  if (code == 0) {
    lua_pushboolean(L, 1);
    return 1;
  }
  snprintf(error.message, sizeof error.message, "%s", text);
  return result_error(L, &error);
}
