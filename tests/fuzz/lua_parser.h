/* Fuzzing a parser that is written in Lua: tests/fuzz/NAME.lua returns a function that is given the bytes and raises if
 * something is wrong. The lines it runs through are counted where libFuzzer looks for new ones. */
#ifndef LUA_PARSER_H
#define LUA_PARSER_H

#include <lauxlib.h>
#include <lualib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a Lua state holds grows and is collected: the search for leaks after each input, which that sets off, would take
 * nearly all of the time. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0"; }

enum { LINES = 1 << 12 };
__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t lines[LINES];

static void count_line(lua_State *L, lua_Debug *debug) {
  static int last;
  (void)L;
  lines[(debug->currentline * 7 + last) % LINES]++; /* a step from one line to another */
  last = debug->currentline;
}

int luaopen_beam_core(lua_State *L);

static lua_State *lua_parser_open(void (*prepare)(lua_State *L), const char *path) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_beam_core);
  lua_setfield(L, -2, "beam.core");
  lua_pop(L, 1);
  if (prepare)
    prepare(L);
  if (luaL_dostring(L, "package.path = 'lua/?.lua;lua/?/init.lua;' .. package.path") || luaL_dofile(L, path)) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    abort();
  }
  lua_sethook(L, count_line, LUA_MASKLINE, 0);
  return L;
}

/* One input for the parser of tests/fuzz/NAME.lua, relative to the folder that make runs in; `prepare` may give the
 * state more than Lua's libraries. */
static inline int lua_parser_try_with(void (*prepare)(lua_State *L), const char *path, const uint8_t *data,
                                      size_t size) {
  static lua_State *L;
  if (!L)
    L = lua_parser_open(prepare, path);
  lua_pushvalue(L, 1);
  lua_pushlstring(L, (const char *)data, size);
  if (lua_pcall(L, 1, 0, 0)) {
    fprintf(stderr, "%s: %s\n", path, luaL_tolstring(L, -1, NULL));
    abort();
  }
  return 0;
}

static inline int lua_parser_try(const char *path, const uint8_t *data, size_t size) {
  return lua_parser_try_with(NULL, path, data, size);
}

#endif
