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

/* host.ending() -> number of the signal that ends the process | nil */
static int ending(lua_State *L) {
  int number = signals_ending();
  if (!number)
    return 0;
  lua_pushinteger(L, number);
  return 1;
}

/* host.delivered(): the coroutines that wait have been told of the signal. */
static int delivered(lua_State *L) {
  (void)L;
  signals_delivered();
  return 0;
}

/* host.driven(boolean): somebody turns the event loop, and asks host.ending(). */
static int driven(lua_State *L) {
  signals_driven(lua_toboolean(L, 1));
  return 0;
}

/* host.raises(function): gives what a coroutine that computes finds raised. */
static int raises(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  signals_raise(L);
  return 0;
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

/* host.rows(descriptor) -> integer | nil */
static int rows(lua_State *L) {
  struct winsize size;
  if (ioctl((int)luaL_checkinteger(L, 1), TIOCGWINSZ, &size) || !size.ws_row)
    return 0;
  lua_pushinteger(L, size.ws_row);
  return 1;
}

/* host.private_file(path): makes it, for its owner only, if it is not there. */
static int private_file(lua_State *L) {
  int fd = open(luaL_checkstring(L, 1), O_WRONLY | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd >= 0)
    close(fd);
  return 0;
}

static const luaL_Reg functions[] = {{"received", received},
                                     {"watch", signals_watch},
                                     {"interactive", interactive},
                                     {"forget_signal", forget_signal},
                                     {"is_terminal", is_terminal},
                                     {"columns", columns},
                                     {"rows", rows},
                                     {"file_status", files_status},
                                     {"private_file", private_file},
                                     {"ending", ending},
                                     {"delivered", delivered},
                                     {"driven", driven},
                                     {"raises", raises}};

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
