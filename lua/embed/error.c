/* Errors of the policy state as beam_host_error. Only raw fields are read, and nothing is allocated. */
#include <stdio.h>
#include <string.h>

#include "embed/host.h"

static const struct {
  int code;
  const char *kind;
} kinds[] = {
#define X(name, value, kind, text) {value, kind},
    BEAM_ERROR_MAP(X) BEAM_HOST_ERROR_MAP(X)
#undef X
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static int code_of(const char *kind) {
  int i = 0;
  while (i < KINDS && strcmp(kinds[i].kind, kind) != 0)
    i++;
  return i < KINDS ? kinds[i].code : BEAM_EINVALID;
}

static const char *kind_of(int code) {
  int i = 0;
  while (i < KINDS && kinds[i].code != code)
    i++;
  return i < KINDS ? kinds[i].kind : "unknown";
}

/* One line, cut where a character ends. */
static void copy_text(char *to, size_t size, const char *text) {
  size_t len = strlen(text);
  if (len >= size) {
    len = size - 1;
    while (len && ((unsigned char)text[len] & 0xC0) == 0x80)
      len--;
  }
  memcpy(to, text, len);
  to[len] = '\0';
  for (; *to; to++)
    if (*to == '\n' || *to == '\r')
      *to = ' ';
}

static void copy_field(lua_State *L, int index, const char *field, char *to, size_t size) {
  if (lua_getfield(L, index, field) == LUA_TSTRING)
    copy_text(to, size, lua_tostring(L, -1));
  lua_pop(L, 1);
}

static int number_field(lua_State *L, int index, const char *field) {
  int number = lua_getfield(L, index, field) == LUA_TNUMBER ? (int)lua_tointeger(L, -1) : 0;
  lua_pop(L, 1);
  return number;
}

int host_error_read(lua_State *L, int index, beam_host_error *error) {
  beam_host_error ignored;
  index = lua_absindex(L, index);
  if (!error)
    error = &ignored;
  if (!lua_istable(L, index))
    return host_error_set(error, BEAM_EINVALID, lua_isstring(L, index) ? lua_tostring(L, index) : "an unknown failure");
  memset(error, 0, sizeof *error);
  copy_field(L, index, "kind", error->kind, sizeof error->kind);
  copy_field(L, index, "hook", error->hook, sizeof error->hook);
  copy_field(L, index, "file", error->file, sizeof error->file);
  copy_field(L, index, "limit", error->limit, sizeof error->limit);
  copy_field(L, index, "message", error->message, sizeof error->message);
  error->line = number_field(L, index, "line");
  error->status = number_field(L, index, "status");
  error->close_code = number_field(L, index, "code");
  error->code = code_of(error->kind);
  return error->code;
}

int host_error_set(beam_host_error *error, int code, const char *message) {
  if (!error)
    return code;
  memset(error, 0, sizeof *error);
  error->code = code;
  copy_text(error->kind, sizeof error->kind, kind_of(code));
  copy_text(error->message, sizeof error->message, message);
  return code;
}
