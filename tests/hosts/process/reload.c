/* A host that loads, uses and unloads, again and again: beam.core in a Lua of its own, once by `require` and once by
 * dlopen, which the end of the Lua and dlclose unload; and libbeamhost. No crash, no descriptor left, no memory that
 * grows. usage: reload CORE SCRIPT HOST TARGET TIMES; prints TAP. Linked with nothing that they bring. */
#include <dirent.h>
#include <dlfcn.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "beamhost.h"

enum { PATIENCE_S = 60, GROWTH = 16 * 1024 };

static char **paths;

static void *find(void *library, const char *name) {
  void *symbol = library ? dlsym(library, name) : NULL;
  if (!symbol) {
    printf("Bail out! %s: %s\n", name, dlerror());
    exit(1);
  }
  return symbol;
}

/* ---- beam.core ---- */

static int run_script(lua_State *L, int is_left_open) {
  int failed = luaL_loadfile(L, paths[1]);
  if (!failed) {
    lua_pushboolean(L, is_left_open);
    failed = lua_pcall(L, 1, 0, 0);
  }
  if (failed)
    printf("# %s\n", lua_tostring(L, -1));
  lua_close(L);
  return !failed;
}

static int with_require(int round) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  return run_script(L, round % 4 == 3);
}

static int with_dlopen(int round) {
  void *library = dlopen(paths[0], RTLD_NOW | RTLD_LOCAL);
  lua_State *L = luaL_newstate();
  lua_CFunction open_core;
  int held;
  *(void **)&open_core = find(library, "luaopen_beam_core");
  luaL_openlibs(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, "_PRELOAD");
  lua_pushcfunction(L, open_core);
  lua_setfield(L, -2, "beam.core");
  held = run_script(L, round % 4 == 3);
  return dlclose(library) == 0 && held;
}

/* ---- libbeamhost ---- */

static const char connection_script[] = "return { message = function(text) beam.emit('heard', { text = text }) end }";

static int heard, closed;

static void on_host(void *user, beam_host *host, const beam_host_event *event) {
  (void)user, (void)host;
  heard += event->type == BEAM_HOST_EMIT;
  closed += event->type == BEAM_HOST_CLOSED;
}

static void quiet(void *user, enum beam_log_level level, const char *line) { (void)user, (void)level, (void)line; }

/* Freed while the connection is open, or after it was closed. */
static int with_host(int round) {
  void *library = dlopen(paths[2], RTLD_NOW | RTLD_LOCAL);
  int (*new_host)(beam_host **, const beam_host_options *, beam_host_error *);
  int (*load)(beam_host *, const char *, size_t, const char *, beam_host_error *);
  void (*on)(beam_host *, beam_host_callback *, void *);
  int (*send)(beam_host *, const char *, size_t, beam_host_error *);
  int (*step)(beam_host *, int);
  void (*end)(beam_host *);
  beam_host_options options = {.target = paths[3], .token = "token", .log = quiet};
  beam_host_error error = {0};
  time_t until = time(NULL) + PATIENCE_S;
  beam_host *host;
  int sent = 0;
  *(void **)&new_host = find(library, "beam_host_new");
  *(void **)&load = find(library, "beam_host_load_string");
  *(void **)&on = find(library, "beam_host_on");
  *(void **)&send = find(library, "beam_host_send");
  *(void **)&step = find(library, "beam_host_step");
  *(void **)&end = find(library, "beam_host_free");
  heard = closed = 0;
  if (new_host(&host, &options, &error) ||
      load(host, connection_script, sizeof connection_script - 1, "s.lua", &error)) {
    printf("# %s\n", error.message);
    return 0;
  }
  on(host, on_host, NULL);
  while (!heard && !closed && time(NULL) < until) {
    sent = sent || send(host, "hello", 5, NULL) == 0;
    step(host, 50);
  }
  if (round % 4 != 3)
    step(host, 0);
  end(host);
  return dlclose(library) == 0 && heard == 1;
}

/* ---- What stays ---- */

static int descriptors(void) {
  DIR *folder = opendir("/proc/self/fd");
  int count = 0;
  while (folder && readdir(folder))
    count++;
  closedir(folder);
  return count;
}

/* Looked at after each quarter. What is made once, whenever that is, is not made in each of the last three. */
static int growth_is_none(int (*once)(int round), int times) {
  int round, quarter = 0, held = 1, before[4] = {0}, grows = 1, length = times > 4 ? times / 4 : 1;
  size_t used[5] = {0};
  for (round = 0; round < times && held; round++) {
    if (round && round % length == 0 && quarter < 3)
      quarter++, before[quarter] = descriptors(), used[quarter] = mallinfo2().uordblks;
    held = once(round);
  }
  used[4] = mallinfo2().uordblks;
  for (quarter = 1; quarter < 4; quarter++)
    grows = grows && used[quarter + 1] >= used[quarter] + GROWTH / 3;
  printf("# %d rounds: from %d descriptors to %d, bytes after each quarter: %zu, %zu, %zu, %zu\n", round, before[1],
         descriptors(), used[1], used[2], used[3], used[4]);
  return held && descriptors() == before[1] && !grows;
}

int main(int count, char **arguments) {
  static int (*const ways[])(int) = {with_require, with_dlopen, with_host};
  static const char *const names[] = {"beam.core by require and lua_close", "beam.core by dlopen and dlclose",
                                      "libbeamhost by dlopen and dlclose"};
  int i, failed = 0;
  setvbuf(stdout, NULL, _IOLBF, 0);
  paths = arguments + 1;
  for (i = 0; i < 3 && count == 6; i++) {
    int held = growth_is_none(ways[i], atoi(arguments[5]));
    printf("%s %d - loaded, used and unloaded %s times: %s\n", held ? "ok" : "not ok", i + 1, arguments[5], names[i]);
    failed |= !held;
  }
  printf("1..3\n");
  return failed || count != 6;
}
