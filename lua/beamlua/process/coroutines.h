/* coroutine.resume and coroutine.wrap that keep note of the coroutine which runs, for the signal handler. */
#pragma once

#include <lua.h>

#pragma GCC visibility push(hidden)

/* Replaces the two in the table `coroutine`. */
void coroutines_setup(lua_State *L);
/* The coroutine that runs now; NULL: the main thread does. May be called from a signal handler. */
lua_State *coroutines_running(void);

#pragma GCC visibility pop
