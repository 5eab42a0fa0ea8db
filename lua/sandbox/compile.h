/* Compiling a script's text, and the table of hooks that it returns. */
#pragma once

#include <lua.h>
#include <stddef.h>

struct script;

/* As luaL_loadbufferx for text only; the budget counts meanwhile. Raises if the script is stopped. */
int load_text(lua_State *L, const char *text, size_t len, const char *chunk_name);
/* Takes the hooks from the table on top of the stack. Raises if it is none, or has what cannot be one. */
void load_hooks(lua_State *L, struct script *script);
