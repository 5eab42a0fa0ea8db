/* What beamlua's Lua side (host.main) asks of the process: signals, the terminal, files. The same on each Lua, for the
 * rock's beamlua. */
#ifndef BEAMLUA_PROCESS_H
#define BEAMLUA_PROCESS_H

#include <lua.h>

#pragma GCC visibility push(hidden)

/* Pushes the table `host`: its functions, and `version`. */
void process_push(lua_State *L);

#pragma GCC visibility pop

#endif
