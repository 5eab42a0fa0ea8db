/* core.json: the functions and what is special to them. */
#include "json/json.h"

void json_push_marks(lua_State *L, int marks) {
  static const char *const names[] = {"null", "array_mt", "empty_array_mt", "empty_array", "explain", "max_depth"};
  int i;
  for (i = 0; i < JSON_MAX_DEPTH; i++)
    lua_getfield(L, marks, names[i]);
}

static void push_encoder(lua_State *L, lua_CFunction function) {
  json_push_marks(L, 1);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, json_text_free);
  lua_setfield(L, -2, "__gc");
  lua_pushcclosure(L, function, JSON_TEXT_CLASS);
}

int json_new(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  json_push_marks(L, 1);
  lua_pushcclosure(L, json_decode, JSON_MAX_DEPTH);
  push_encoder(L, json_encode);
  push_encoder(L, json_encode_checked);
  return 3;
}
