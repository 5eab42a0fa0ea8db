/* load, loadfile, dofile and require, for source text only. */
#pragma once

#include <lua.h>

/* Replaces them in the open libraries. package: whether the module package stays as it is, C modules and all. */
void sources_setup(lua_State *L, int package);
