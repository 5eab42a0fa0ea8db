#include "lua_parser.h"

int luaopen_beam_core(lua_State *L);

/* For signals, which a chain has for the messages that wait for their turn. */
static void prepare(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_beam_core);
  lua_setfield(L, -2, "beam.core");
  lua_pop(L, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  return lua_parser_try_with(prepare, "tests/fuzz/lua/transformed.lua", data, size);
}
