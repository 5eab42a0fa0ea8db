/* Functions of Lua's libraries as a script under limits has them: each is charged for its work, none holds a stop. */
#pragma once

#include <lua.h>

/* Each replaces functions in the libraries, which must be open. */
void guards_setup(lua_State *L);          /* pcall, xpcall, setmetatable, coroutine.* */
void guarded_tables_setup(lua_State *L);  /* table.* */
void guarded_strings_setup(lua_State *L); /* string.rep, find, match, gmatch, gsub */
void guarded_format_setup(lua_State *L);  /* string.format */
