/* sandbox.script: a script of the user's in a Lua state of its own, with limits. lua/sandbox/meta/script.lua is its
 * contract.
 *
 *   P, the state of lua/beam and lua/beamlua or lua/embed  -- script.c, call.c -->  S, the script's own
 *
 *   script_values.c     values from one to the other            script_libraries.c  what a script may use
 *   script_load.c       compiling, the table of hooks           script_sources.c    load, require: text only
 *   script_error.c      what P is told, with script_trace.c     script_guards.c     pcall, coroutines, metatables
 *   script_limits.c     budgets: instructions, time             script_tables.c, script_strings.c, script_patterns.c
 *   script_allocator.c  the memory limit, on script_memory.c
 *   script_collector.c  when garbage is collected; weak keys    script_collisions.c keys that collide
 */
#ifndef BEAMLUA_SCRIPT_H
#define BEAMLUA_SCRIPT_H

#include <lua.h>

/* For package.preload: opens the module sandbox.script in P. */
int script_open(lua_State *P);

#endif
