/* Where a script was when it failed: kept outside its heap, which may be full. */
#pragma once

#include <lua.h>

struct trace {
  char file[LUA_IDSIZE]; /* "" if no line of the script ran */
  int line;
  char text[2048]; /* one line for each of the script's functions, innermost first */
};

void trace_clear(struct trace *trace);
/* Writes down the functions that run in L. Neither allocates nor raises. */
void trace_note(struct trace *trace, lua_State *L);
