/* Runs lua/baked/bake.lua in the Lua that becomes part of beamlua: its bytecode is for that one and no other.
 *
 *   bake SCRIPT ARGUMENTS… */
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>

int main(int argc, char **argv) {
  lua_State *L = luaL_newstate();
  int i, failed;
  luaL_openlibs(L);
  lua_createtable(L, argc, 0);
  for (i = 2; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i - 1);
  }
  lua_setglobal(L, "arg");
  failed = argc < 2 || luaL_dofile(L, argv[1]);
  if (failed)
    fprintf(stderr, "bake: %s\n", argc < 2 ? "a script is wanted" : lua_tostring(L, -1));
  lua_close(L);
  return failed;
}
