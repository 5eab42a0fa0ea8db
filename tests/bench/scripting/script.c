/* What the limits of a script cost: honest work (tests/bench/scripting/script.lua) in a script with all limits, beside
 * one without any, whose libraries are Lua's own; and what a call of a hook from C costs. */
#include <lauxlib.h>
#include <lualib.h>

#include "measure.h"
#include "sandbox/script.h"

enum { ROUNDS = 15, CALLS = 200000 };

static const char setup[] = "local script = require 'sandbox.script'\n"
                            "local text = assert(io.open 'tests/bench/scripting/script.lua'):read 'a'\n"
                            "local function make(options)\n"
                            "  local object = script.new(options)\n"
                            "  assert(object:load(text, '@script.lua'))\n"
                            "  return object\n"
                            "end\n"
                            "return make { memory = false },\n"
                            "  make { memory = 64 << 20, instructions = 1000000000, seconds = 60 },\n"
                            "  { id = 12, text = 'The quick brown fox jumps', tags = { 'a', 'b' } }\n";
enum { WITHOUT = 1, WITH, MESSAGE }; /* what it leaves on the stack */

/* Calls a method of the script at `index`: (name, argument at `argument` or 0). */
static void call(lua_State *P, int index, const char *method, const char *name, int argument) {
  int top = lua_gettop(P);
  lua_getfield(P, index, method);
  lua_pushvalue(P, index);
  lua_pushstring(P, name);
  if (argument)
    lua_pushvalue(P, argument);
  lua_call(P, argument ? 3 : 2, LUA_MULTRET);
  if (!lua_toboolean(P, top + 1)) {
    fprintf(stderr, "%s: %s\n", name, luaL_tolstring(P, top + 2, NULL));
    exit(1);
  }
  lua_settop(P, top);
}

static double time_once(lua_State *P, int index, const char *method, const char *name, int argument, int calls) {
  double start = cpu_time();
  int i;
  for (i = 0; i < calls; i++)
    call(P, index, method, name, argument);
  return (cpu_time() - start) / calls;
}

/* Medians of turns, so that both have the same weather. */
static void compare(lua_State *P, const char *method, const char *name, int argument, int calls) {
  double without[ROUNDS], with[ROUNDS], ratios[ROUNDS];
  int round;
  for (round = 0; round < ROUNDS; round++) {
    without[round] = time_once(P, WITHOUT, method, name, argument, calls);
    with[round] = time_once(P, WITH, method, name, argument, calls);
    ratios[round] = with[round] / without[round];
  }
  printf("  %-12s without %10.2f us, with %10.2f us   %.2f\n", name, percentile(without, ROUNDS, .5) * 1e6,
         percentile(with, ROUNDS, .5) * 1e6, percentile(ratios, ROUNDS, .5));
}

int main(void) {
  static const char *const work[] = {"compute", "strings", "tables", "objects", "coroutines"};
  lua_State *P = luaL_newstate();
  size_t i;
  luaL_openlibs(P);
  luaL_getsubtable(P, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(P, script_open);
  lua_setfield(P, -2, "sandbox.script");
  lua_settop(P, 0);
  if (luaL_dostring(P, setup)) {
    fprintf(stderr, "%s\n", lua_tostring(P, -1));
    return 1;
  }
  for (i = 0; i < sizeof work / sizeof *work; i++)
    compare(P, "call_function", work[i], 0, 5);
  compare(P, "call", "message", MESSAGE, 2000);
  printf("  calls of a hook from C: tick %.0f ns, with a message of 4 fields %.0f ns\n",
         time_once(P, WITH, "call", "tick", 0, CALLS) * 1e9, time_once(P, WITH, "call", "tick", MESSAGE, CALLS) * 1e9);
  lua_close(P);
  return 0;
}
