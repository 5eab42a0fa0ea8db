/* beamlua: Lua 5.4 with the module beam inside. This file makes the state and hands over to lua/beamlua/main.lua; the
 * transport (beam.core with libwebsockets, libcurl, libuv) is a shared object that is loaded when a script first needs
 * it. */
#include <fcntl.h>
#include <lauxlib.h>
#include <limits.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "baked/modules.h"
#include "beamlua/process/coroutines.h"
#include "beamlua/process/process.h"
#include "beamlua/process/signals.h"
#include "sandbox/call.h"

enum { EXIT_INTERRUPTED = 128 /* plus the signal's number, as a shell has it */ };

/* host.has_module(name) -> boolean */
static int has_module(lua_State *L) {
  lua_pushboolean(L, modules_has(luaL_checkstring(L, 1)));
  return 1;
}

/* The folder of the program, without a slash at the end; "." if the system does not say. */
static void push_folder(lua_State *L) {
  char path[PATH_MAX];
  ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
  char *slash;
  path[len > 0 ? len : 0] = '\0';
  slash = strrchr(path, '/');
  if (slash)
    *slash = '\0';
  lua_pushstring(L, slash ? path : ".");
}

static void push_host(lua_State *L) {
  process_push(L);
  lua_pushcfunction(L, has_module);
  lua_setfield(L, -2, "has_module");
  push_folder(L);
  lua_setfield(L, -2, "folder");
}

/* The arguments as a table, the program's name at 0. */
static void push_arguments(lua_State *L, int argc, char **argv) {
  int i;
  lua_createtable(L, argc, 1);
  for (i = 0; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i);
  }
}

/* -E, among the options before the script: LUA_PATH and LUA_CPATH are read when the libraries are opened, before
 * lua/beamlua/interpreter.lua reads the options. */
static int ignores_environment(int argc, char **argv) {
  int i;
  for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1] && strcmp(argv[i], "--") != 0; i++) {
    if (strcmp(argv[i], "-E") == 0)
      return 1;
    if (strcmp(argv[i], "-e") == 0 || strcmp(argv[i], "-l") == 0 || strcmp(argv[i], "--record") == 0 ||
        strcmp(argv[i], "--metrics-port") == 0)
      i++;
  }
  return 0;
}

/* protected: (argc, argv) -> exit code */
static int run(lua_State *L) {
  int argc = (int)lua_tointeger(L, 1);
  char **argv = lua_touserdata(L, 2);
  if (ignores_environment(argc, argv)) {
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV"); /* as lua.c; loadlib.c looks for it */
  }
  luaL_openlibs(L);
  modules_setup(L);
  coroutines_setup(L);
  signals_setup(L);
  call_observer = signals_note_script;
  lua_getglobal(L, "require");
  lua_pushliteral(L, "beamlua.main");
  lua_call(L, 1, 1);
  push_host(L);
  push_arguments(L, argc, argv);
  lua_call(L, 2, 1);
  return 1;
}

/* Descriptors 0 to 2, if one is closed: otherwise the event loop gets it, on which libuv aborts (1.44, uv__close). */
static void open_standard_descriptors(void) {
  int fd;
  do
    fd = open("/dev/null", O_RDWR);
  while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0)
    close(fd);
}

int main(int argc, char **argv) {
  lua_State *L = luaL_newstate();
  int code = EXIT_FAILURE;
  open_standard_descriptors();
  if (!L) {
    fputs("beamlua: out of memory\n", stderr);
    return EXIT_FAILURE;
  }
  lua_pushcfunction(L, run);
  lua_pushinteger(L, argc);
  lua_pushlightuserdata(L, argv);
  if (lua_pcall(L, 2, 1, 0) == LUA_OK)
    code = (int)lua_tointeger(L, -1);
  else if (!signals_received())
    fprintf(stderr, "beamlua: %s\n", luaL_tolstring(L, -1, NULL));
  signals_restore();
  lua_close(L);
  return signals_received() ? EXIT_INTERRUPTED + signals_received() : code;
}
