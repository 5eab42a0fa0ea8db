/* SIGINT and SIGTERM: they end the script, wherever it waits or computes; a second one ends the process at once. */
#ifndef BEAMLUA_SIGNALS_H
#define BEAMLUA_SIGNALS_H

#include <lua.h>

/* Installs the handlers; L is the main thread of the state. */
void signals_setup(lua_State *L);
/* The system's default actions again; nothing of the state is touched any more. */
void signals_restore(void);
/* SIGINT or SIGTERM, or 0 as long as none came. */
int signals_received(void);
/* Lua: watch(wake, argument), two light userdata: wake(argument) ends a wait of the event loop. watch() forgets them.
 */
int signals_watch(lua_State *L);

#endif
