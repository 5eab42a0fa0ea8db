/* beam.core, the module table. */
#include <time.h>
#include <unistd.h>

#include "binding.h"
#include "export.h"
#include "json/json.h"

BINDING_API int luaopen_beam_core(lua_State *L);

/* Lua itself cannot tell whether a person sees what is written. */
static int is_terminal(lua_State *L) {
  lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
  return 1;
}

static int can_yield(lua_State *L) {
  lua_pushboolean(L, compat_is_yieldable(L));
  return 1;
}

static int libraries(lua_State *L) {
  char text[256];
  beam_libraries(text, sizeof text);
  lua_pushstring(L, text);
  return 1;
}

static int ca_bundle(lua_State *L) {
  lua_pushstring(L, beam_ca_bundle()); /* nil for NULL */
  return 1;
}

static int wall_clock(lua_State *L) {
  struct timespec now = {0, 0};
  timespec_get(&now, TIME_UTC);
  lua_pushnumber(L, (lua_Number)now.tv_sec + (lua_Number)now.tv_nsec / 1e9);
  return 1;
}

static int hmac_sha256(lua_State *L) {
  uint8_t digest[BEAM_HMAC_SIZE];
  size_t key_size, size;
  const char *key = luaL_checklstring(L, 1, &key_size), *data = luaL_checklstring(L, 2, &size);
  if (beam_hmac_sha256(key, key_size, data, size, digest))
    return luaL_error(L, "hmac_sha256: OpenSSL refused");
  lua_pushlstring(L, (const char *)digest, sizeof digest);
  return 1;
}

static int same_bytes(lua_State *L) {
  size_t size, other;
  const char *a = luaL_checklstring(L, 1, &size), *b = luaL_checklstring(L, 2, &other);
  lua_pushboolean(L, size == other && beam_same_bytes(a, b, size));
  return 1;
}

static const luaL_Reg signature_functions[] = {{"hmac_sha256", hmac_sha256}, {"same_bytes", same_bytes}, {NULL, NULL}};

static const luaL_Reg private_functions[] = {{"random", private_random},
                                             {"write_private", private_write},
                                             {"private_folder", private_folder},
                                             {"real_path", private_real_path},
                                             {"clock", wall_clock},
                                             {"home", private_home},
                                             {"process", private_process},
                                             {"process_lives", private_process_lives},
                                             {"localhost_certificate", server_certificate},
                                             {NULL, NULL}};

static void add_functions(lua_State *L, const luaL_Reg *functions) {
  for (; functions->name; functions++) {
    lua_pushcfunction(L, functions->func);
    lua_setfield(L, -2, functions->name);
  }
}

int luaopen_beam_core(lua_State *L) {
  compat_check_version(L, "beam.core");
  result_setup(L);
  timer_setup(L);
  read_setup(L);
  websocket_setup(L);
  arrivals_setup(L);
  counter_setup(L);
  http_setup(L);
  server_setup(L);
  request_setup(L);
  context_setup(L);
  lua_createtable(L, 0, 8);
  lua_pushstring(L, beam_version());
  lua_setfield(L, -2, "version");
  lua_pushlightuserdata(L, NULL);
  lua_setfield(L, -2, "null");
  lua_pushcfunction(L, context_new);
  lua_setfield(L, -2, "new");
  lua_pushcfunction(L, json_new);
  lua_setfield(L, -2, "json");
  lua_pushcfunction(L, arrivals_new);
  lua_setfield(L, -2, "arrivals");
  lua_pushcfunction(L, counter_new);
  lua_setfield(L, -2, "counter");
  lua_pushcfunction(L, http_plan);
  lua_setfield(L, -2, "plan");
  lua_pushcfunction(L, is_terminal);
  lua_setfield(L, -2, "is_terminal");
  lua_pushcfunction(L, can_yield);
  lua_setfield(L, -2, "can_yield");
  lua_pushcfunction(L, libraries);
  lua_setfield(L, -2, "libraries");
  lua_pushcfunction(L, ca_bundle);
  lua_setfield(L, -2, "ca_bundle");
  add_functions(L, private_functions);
  add_functions(L, signature_functions);
  return 1;
}
