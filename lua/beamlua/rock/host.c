/* beam.host, in the rock alone: what lua/beamlua/main.c is for the program, for a beamlua that the tree's own Lua runs
 * (lua/beamlua/rock/beamlua.lua). */
#include <lauxlib.h>

#include "beamlua/process/coroutines.h"
#include "beamlua/process/process.h"
#include "beamlua/process/signals.h"

__attribute__((visibility("default"))) int luaopen_beam_host(lua_State *L);

/* host.restore_signals(): before the state goes. */
static int restore_signals(lua_State *L) {
  (void)L;
  signals_restore();
  return 0;
}

/* To be loaded by the main thread. */
int luaopen_beam_host(lua_State *L) {
  coroutines_setup(L);
  signals_setup(L);
  process_push(L);
  lua_pushcfunction(L, restore_signals);
  lua_setfield(L, -2, "restore_signals");
  return 1;
}
