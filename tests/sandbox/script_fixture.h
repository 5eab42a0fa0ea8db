/* A Lua state with sandbox.script in it, under the sanitizers, that runs a file of tests in Lua: it prints TAP itself.
 * What Lua itself does not have: the CPU time of this thread, and a script in an interpreter without limits. */
#ifndef BEAM_SCRIPT_FIXTURE_H
#define BEAM_SCRIPT_FIXTURE_H

#include <fcntl.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sandbox/script.h"

/* clock("cpu" | "wall") -> seconds */
static int fixture_clock(lua_State *P) {
  static const char *const names[] = {"cpu", "wall", NULL};
  static const clockid_t clocks[] = {CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC};
  struct timespec now;
  clock_gettime(clocks[luaL_checkoption(P, 1, NULL, names)], &now);
  lua_pushnumber(P, (lua_Number)now.tv_sec + (lua_Number)now.tv_nsec * 1e-9);
  return 1;
}

static void limit_child(double seconds, double bytes) {
  struct itimerval timer = {{0, 0}, {(time_t)seconds, (suseconds_t)((seconds - (double)(time_t)seconds) * 1e6)}};
  struct rlimit space = {(rlim_t)bytes, (rlim_t)bytes}, none = {0, 0};
  int null = open("/dev/null", O_RDWR);
  dup2(null, STDOUT_FILENO);
  dup2(null, STDERR_FILENO);
  setrlimit(RLIMIT_CORE, &none);
  setrlimit(RLIMIT_AS, &space);
  setitimer(ITIMER_PROF, &timer, NULL); /* lasts through exec, and ends the process */
}

/* plain(seconds, bytes, program, path) -> exit status of `lua5.4 program path`, or "killed" */
static int fixture_plain(lua_State *P) {
  double seconds = luaL_checknumber(P, 1), bytes = luaL_checknumber(P, 2);
  const char *program = luaL_checkstring(P, 3), *path = luaL_checkstring(P, 4);
  pid_t child;
  int status = 0;
  fflush(stdout);
  child = fork();
  if (child < 0)
    return luaL_error(P, "fork failed");
  if (child == 0) {
    limit_child(seconds, bytes);
    execlp("lua5.4", "lua5.4", program, path, (char *)NULL);
    _exit(127);
  }
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status))
    lua_pushliteral(P, "killed");
  else
    lua_pushinteger(P, WEXITSTATUS(status));
  return 1;
}

/* What lua/beam/json/values.lua has, without lua-cjson. */
static int fixture_values(lua_State *P) {
  lua_createtable(P, 0, 2);
  lua_pushlightuserdata(P, NULL);
  lua_setfield(P, -2, "null");
  lua_newtable(P);
  lua_setfield(P, -2, "array_mt");
  return 1;
}

static int fixture_run(const char *path) {
  static const luaL_Reg functions[] = {{"clock", fixture_clock}, {"plain", fixture_plain}, {NULL, NULL}};
  lua_State *P = luaL_newstate();
  int failed;
  luaL_openlibs(P);
  lua_getglobal(P, "package");
  lua_pushliteral(P, "tests/sandbox/?.lua");
  lua_setfield(P, -2, "path");
  luaL_getsubtable(P, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(P, script_open);
  lua_setfield(P, -2, "sandbox.script");
  lua_pushcfunction(P, fixture_values);
  lua_setfield(P, -2, "beam.json.values");
  luaL_newlib(P, functions);
  lua_setglobal(P, "fixture");
  failed = luaL_loadfile(P, path) || lua_pcall(P, 0, 1, 0);
  if (failed)
    printf("not ok - %s: %s\n", path, luaL_tolstring(P, -1, NULL));
  else
    failed = !lua_toboolean(P, -1);
  lua_close(P);
  return failed;
}

#endif
