/* SIGHUP, SIGINT and SIGTERM: they end the script, wherever it waits or computes, by an error that it sees; a second
 * one ends the process at once. So does SIGPIPE: who writes for a reader that has gone is done, and closes its
 * connections.
 *
 * At a prompt SIGINT ends the line that runs, and the process goes on. */
#pragma once

#include <lua.h>

#pragma GCC visibility push(hidden)

/* Installs the handlers; L is the main thread of the state. */
void signals_setup(lua_State *L);
/* The system's default actions again; nothing of the state is touched any more. */
void signals_restore(void);
/* The signal's number, or 0 as long as none came. */
int signals_received(void);
/* The number of the signal that ends the process, or 0: none, or a prompt deals with it. */
int signals_ending(void);
/* Every coroutine that waits has been told: none that computes has to be any more. */
void signals_delivered(void);
/* From now on (or no longer) somebody on the main thread turns the event loop and asks signals_ending. */
void signals_driven(int on);
/* The function on top of the stack, which is popped, gives what is raised in a script that computes. */
void signals_raise(lua_State *L);
/* S, of a script in a state of its own, runs; NULL: none. */
void signals_note_script(lua_State *S);
/* From now on (or no longer) SIGINT interrupts coroutines of the user's only, as often as it comes. */
void signals_interactive(int on);
/* The signal that was received has been dealt with. */
void signals_forget(void);
/* Lua: watch(wake, argument), two light userdata: wake(argument) ends a wait of the event loop. watch() forgets them.
 */
int signals_watch(lua_State *L);

#pragma GCC visibility pop
