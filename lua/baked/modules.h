/* Where `require` finds the modules that are part of the program. */
#pragma once

#include <lua.h>

/* Puts the baked modules before those of package.path, and lua-cjson into package.preload. The libraries must be open.
 */
void modules_setup(lua_State *L);
/* Whether there is such a baked module. */
int modules_has(const char *name);
