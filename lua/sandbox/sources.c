/* As in Lua 5.4, without bytecode, which Lua does not verify. Compiling counts against the budget. */
#include "sandbox/sources.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "sandbox/compile.h"
#include "sandbox/limits/limits.h"

/* Leaves the chunk, or nil and the message, on top of the stack: 1 or 2. `environment` is an index or 0. */
static int finish(lua_State *L, int status, int environment) {
  if (status != LUA_OK) {
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
  }
  if (environment) {
    lua_pushvalue(L, environment);
    if (!lua_setupvalue(L, -2, 1))
      lua_pop(L, 1);
  }
  return 1;
}

/* What a function gives piece by piece, as one string on top of the stack. */
static void gather(lua_State *L) {
  luaL_Buffer text;
  int function = 1;
  luaL_buffinit(L, &text);
  for (;;) {
    lua_pushvalue(L, function);
    lua_call(L, 0, 1);
    if (lua_isnil(L, -1) || (lua_type(L, -1) == LUA_TSTRING && !lua_rawlen(L, -1)))
      break;
    if (lua_type(L, -1) != LUA_TSTRING)
      luaL_error(L, "reader function must return a string");
    luaL_addvalue(&text);
  }
  lua_pop(L, 1);
  luaL_pushresult(&text);
}

/* load(chunk [, chunkname [, mode [, env]]]) */
static int load(lua_State *L) {
  int environment = lua_isnone(L, 4) ? 0 : 4;
  const char *mode = luaL_optstring(L, 3, "bt"), *text, *name;
  size_t len;
  if (!lua_isstring(L, 1)) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    gather(L);
  } else {
    lua_pushvalue(L, 1);
  }
  text = lua_tolstring(L, -1, &len);
  name = luaL_optstring(L, 2, lua_isstring(L, 1) ? text : "=(load)");
  if (!strchr(mode, 't')) {
    lua_pushnil(L);
    lua_pushliteral(L, "attempt to load a text chunk: this script may load nothing else");
    return 2;
  }
  return finish(L, load_text(L, text, len, name), environment);
}

/* (file) -> contents */
static int read_all(lua_State *L) {
  FILE *file = lua_touserdata(L, 1);
  luaL_Buffer text;
  size_t got;
  luaL_buffinit(L, &text);
  do {
    char piece[1024];
    got = fread(piece, 1, sizeof piece, file);
    luaL_addlstring(&text, piece, got);
  } while (got);
  luaL_pushresult(&text);
  return 1;
}

/* The file's contents on top of the stack; or 0, and a message there. Protected, as what stops a script for its memory
 * must not keep the file open. */
static int read_file(lua_State *L, const char *path) {
  FILE *file = fopen(path, "rb");
  int status, problem;
  if (!file) {
    lua_pushfstring(L, "cannot open %s: %s", path, strerror(errno));
    return 0;
  }
  lua_pushcfunction(L, read_all);
  lua_pushlightuserdata(L, file);
  status = lua_pcall(L, 1, 1, 0);
  problem = ferror(file);
  fclose(file);
  limits_reraise(L);
  if (status != LUA_OK)
    return lua_error(L);
  if (problem)
    lua_pushfstring(L, "cannot read %s", path);
  return !problem;
}

static int load_file(lua_State *L, const char *path) {
  const char *text;
  size_t len;
  if (!read_file(L, path))
    return LUA_ERRFILE;
  text = lua_tolstring(L, -1, &len);
  return load_text(L, text, len, lua_pushfstring(L, "@%s", path));
}

/* loadfile(filename [, mode [, env]]) */
static int guarded_loadfile(lua_State *L) {
  int environment = lua_isnone(L, 3) ? 0 : 3;
  return finish(L, load_file(L, luaL_checkstring(L, 1)), environment);
}

static int guarded_dofile(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  lua_settop(L, 1);
  if (load_file(L, path) != LUA_OK)
    return lua_error(L);
  lua_replace(L, 1);
  lua_settop(L, 1);
  lua_call(L, 0, LUA_MULTRET);
  return lua_gettop(L);
}

/* searcher(name) -> loader, path | message; upvalue: the module package */
static int search(lua_State *L) {
  const char *path;
  lua_settop(L, 1);
  lua_getfield(L, lua_upvalueindex(1), "searchpath");
  lua_pushvalue(L, 1);
  lua_getfield(L, lua_upvalueindex(1), "path");
  lua_call(L, 2, 2);
  if (lua_isnil(L, 2))
    return 1;
  path = luaL_checkstring(L, 2);
  if (load_file(L, path) != LUA_OK)
    return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s", lua_tostring(L, 1), path,
                      lua_tostring(L, -1));
  lua_pushstring(L, path);
  return 2;
}

/* Modules in Lua only: package keeps what require needs. */
static void restrict_require(lua_State *L) {
  static const char *const removed[] = {"loadlib", "cpath", NULL};
  const char *const *name;
  lua_getglobal(L, "package");
  for (name = removed; *name; name++) {
    lua_pushnil(L);
    lua_setfield(L, -2, *name);
  }
  lua_createtable(L, 2, 0);
  lua_getfield(L, -2, "searchers");
  lua_rawgeti(L, -1, 1);
  lua_rawseti(L, -3, 1);
  lua_pop(L, 1);
  lua_pushvalue(L, -2);
  lua_pushcclosure(L, search, 1);
  lua_rawseti(L, -2, 2);
  lua_setfield(L, -2, "searchers");
  lua_pop(L, 1);
}

void sources_setup(lua_State *L, int package) {
  static const luaL_Reg functions[] = {
      {"load", load}, {"loadfile", guarded_loadfile}, {"dofile", guarded_dofile}, {NULL, NULL}};
  lua_pushglobaltable(L);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
  if (!package)
    restrict_require(L);
}
