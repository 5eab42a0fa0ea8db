/* What Lua's own library does not tell of files. */
#ifndef BEAMLUA_FILES_H
#define BEAMLUA_FILES_H

#include <lua.h>

#pragma GCC visibility push(hidden)

/* file_status(path) -> string | nil: differs whenever the file there was written or replaced; nil: there is none. */
int files_status(lua_State *L);

#pragma GCC visibility pop

#endif
