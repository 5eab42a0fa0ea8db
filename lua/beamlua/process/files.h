/* What Lua's own library does not tell of files. */
#pragma once

#include <lua.h>

#pragma GCC visibility push(hidden)

/* file_status(path) -> string | nil: differs whenever the file there was written or replaced; nil: there is none. */
int files_status(lua_State *L);

#pragma GCC visibility pop
