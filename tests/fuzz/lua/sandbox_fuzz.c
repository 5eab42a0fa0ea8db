#include "lua_parser.h"
#include "sandbox/script.h"

static void prepare(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, script_open);
  lua_setfield(L, -2, "sandbox.script");
  lua_pop(L, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  return lua_parser_try_with(prepare, "tests/fuzz/lua/sandbox.lua", data, size);
}
