/* beam.core, the module table. */
#include "binding.h"

BEAM_API int luaopen_beam_core(lua_State *L);

int luaopen_beam_core(lua_State *L) {
  result_setup(L);
  timer_setup(L);
  read_setup(L);
  websocket_setup(L);
  http_setup(L);
  server_setup(L);
  request_setup(L);
  context_setup(L);
  lua_createtable(L, 0, 2);
  lua_pushstring(L, beam_version());
  lua_setfield(L, -2, "version");
  lua_pushcfunction(L, context_new);
  lua_setfield(L, -2, "new");
  return 1;
}
