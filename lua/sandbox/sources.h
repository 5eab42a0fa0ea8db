/* load, loadfile, dofile and require, for source text only. */
#ifndef BEAMLUA_SCRIPT_SOURCES_H
#define BEAMLUA_SCRIPT_SOURCES_H

#include <lua.h>

/* Replaces them in the open libraries. package: whether the module package stays as it is, C modules and all. */
void sources_setup(lua_State *L, int package);

#endif
