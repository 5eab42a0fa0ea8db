#include "beamlua/process/process.h"

#include <fcntl.h>
#include <lauxlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beam.h"
#include "beamlua/process/files.h"
#include "beamlua/process/signals.h"

/* host.received() -> signal number | nil */
static int received(lua_State *L) {
  int number = signals_received();
  if (!number)
    return 0;
  lua_pushinteger(L, number);
  return 1;
}

/* host.forget_signal(): it was dealt with. */
static int forget_signal(lua_State *L) {
  (void)L;
  signals_forget();
  return 0;
}

/* host.interactive(boolean): there is a prompt to come back to. */
static int interactive(lua_State *L) {
  signals_interactive(lua_toboolean(L, 1));
  return 0;
}

/* host.is_terminal(descriptor) -> boolean */
static int is_terminal(lua_State *L) {
  lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
  return 1;
}

/* host.columns(descriptor) -> integer | nil */
static int columns(lua_State *L) {
  struct winsize size;
  if (ioctl((int)luaL_checkinteger(L, 1), TIOCGWINSZ, &size) || !size.ws_col)
    return 0;
  lua_pushinteger(L, size.ws_col);
  return 1;
}

/* host.private_file(path): makes it, for its owner only, if it is not there. */
static int private_file(lua_State *L) {
  int fd = open(luaL_checkstring(L, 1), O_WRONLY | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd >= 0)
    close(fd);
  return 0;
}

static const luaL_Reg functions[] = {{"received", received},        {"watch", signals_watch},
                                     {"interactive", interactive},  {"forget_signal", forget_signal},
                                     {"is_terminal", is_terminal},  {"columns", columns},
                                     {"file_status", files_status}, {"private_file", private_file}};

void process_push(lua_State *L) {
  size_t i;
  lua_newtable(L);
  for (i = 0; i < sizeof functions / sizeof *functions; i++) {
    lua_pushcfunction(L, functions[i].func);
    lua_setfield(L, -2, functions[i].name);
  }
  lua_pushliteral(L, BEAM_VERSION);
  lua_setfield(L, -2, "version");
}
