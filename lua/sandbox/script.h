/* sandbox.script: a script of the user's in a Lua state of its own, with limits. lua/sandbox/meta/script.lua is its
 * contract.
 *
 *   P, the state of lua/beam and lua/beamlua or lua/embed  -- script.c, call.c -->  S, the script's own
 *
 *   values.c   values from one to the other              compile.c   compiling, the table of hooks
 *   error.c    what P is told, with traceback.c, names.c sources.c   load, require: text only
 *
 *   limits/    limits.c budgets: instructions, time      allocator.c the memory limit, on memory.c
 *              collector.c when garbage is collected; weak keys      collisions.c keys that collide
 *   libraries/ libraries.c what a script may use         guards.c pcall, coroutines, metatables
 *              tables.c, strings.c, format.c, patterns.c what is charged within one call
 */
#pragma once

#include <lua.h>

/* For package.preload: opens the module sandbox.script in P. */
int script_open(lua_State *P);
