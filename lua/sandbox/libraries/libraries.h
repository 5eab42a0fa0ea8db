/* What a script may use: the safe subset of Lua's libraries, and what is granted by name. */
#pragma once

#include <lua.h>
#include <stdint.h>

/* All names that can be granted, ending with NULL; "all" is one of them. */
extern const char *const libraries_grants[];

/* Protected, in the new state: opens the libraries and leaves the globals that the grants (bit n: libraries_grants[n])
 * allow. guarded: the functions that keep the limits, instead of Lua's own. */
void libraries_open(lua_State *L, uint64_t grants, int guarded);
/* From now on undeclared globals are errors. */
void libraries_be_strict(lua_State *L);
