#include "lua_parser.h"
#include "json/json.h"

#ifdef BEAMLUA_CJSON
int luaopen_cjson(lua_State *L);
int luaopen_cjson_safe(lua_State *L);
#endif

/* beam.core with its JSON alone, and lua-cjson where it is. */
static void prepare(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_newtable(L);
  lua_pushcfunction(L, json_new);
  lua_setfield(L, -2, "json");
  lua_setfield(L, -2, "beam.core");
  lua_pop(L, 1);
#ifdef BEAMLUA_CJSON
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_cjson);
  lua_setfield(L, -2, "cjson");
  lua_pushcfunction(L, luaopen_cjson_safe);
  lua_setfield(L, -2, "cjson.safe");
  lua_pop(L, 1);
#endif
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  return lua_parser_try_with(prepare, "tests/fuzz/lua/json.lua", data, size);
}
