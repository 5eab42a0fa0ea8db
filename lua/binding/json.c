/* core.json: the two functions and what is special to them. */
#include "json.h"

static void push_function(lua_State *L, lua_CFunction function) {
  static const char *const names[] = {"null", "array_mt", "empty_array_mt", "empty_array", "max_depth"};
  int i;
  for (i = 0; i < JSON_UPVALUES; i++)
    lua_getfield(L, 1, names[i]);
  lua_pushcclosure(L, function, JSON_UPVALUES);
}

int json_new(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  push_function(L, json_decode);
  push_function(L, json_encode);
  return 2;
}
