/* What beamlua's Lua side (host.main) asks of the process: signals, the terminal, files. The same on each Lua, for the
 * rock's beamlua. */
#pragma once

#include <lua.h>

#pragma GCC visibility push(hidden)

/* Pushes the table `host`: its functions, and `version`. */
void process_push(lua_State *L);

#pragma GCC visibility pop
