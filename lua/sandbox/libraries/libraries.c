/* All libraries are opened; then what is neither safe nor granted is taken out of their tables, so that nothing leads
 * to it. */
#include "sandbox/libraries/libraries.h"

#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include "sandbox/libraries/guards.h"
#include "sandbox/names.h"
#include "sandbox/sources.h"

/* One that ends with a whole library grants each name in it. The last four are safe, and may be granted all the same.
 */
const char *const libraries_grants[] = {"all",           "io",
                                        "io.lines",      "io.open",
                                        "io.popen",      "io.read",
                                        "io.write",      "os",
                                        "os.execute",    "os.exit",
                                        "os.getenv",     "os.remove",
                                        "os.rename",     "os.setlocale",
                                        "os.tmpname",    "package",
                                        "require",       "load",
                                        "loadfile",      "dofile",
                                        "debug",         "debug.traceback",
                                        "debug.getinfo", "collectgarbage",
                                        "print",         "warn",
                                        "string.dump",   "os.clock",
                                        "os.date",       "os.difftime",
                                        "os.time",       NULL};

static const char *const safe[] = {
    "_G",       "_VERSION", "assert",   "error",   "getmetatable", "ipairs",  "next",   "pairs",
    "pcall",    "print",    "rawequal", "rawget",  "rawlen",       "rawset",  "select", "setmetatable",
    "tonumber", "tostring", "type",     "xpcall",  "coroutine",    "math",    "string", "table",
    "utf8",     "os",       "os.clock", "os.date", "os.difftime",  "os.time", NULL};

static int granted(uint64_t grants, const char *name) {
  int at = names_find(name, libraries_grants);
  return at >= 0 && (grants >> at & 1);
}

/* A library is there if anything of it is granted. */
static int any_granted(uint64_t grants, const char *library) {
  size_t len = strlen(library);
  int at;
  for (at = 0; libraries_grants[at]; at++)
    if ((grants >> at & 1) && !strncmp(libraries_grants[at], library, len) &&
        (!libraries_grants[at][len] || libraries_grants[at][len] == '.'))
      return 1;
  return 0;
}

static int is_allowed(uint64_t grants, const char *library, const char *name) {
  char full[64];
  if (!library)
    return names_find(name, safe) >= 0 || any_granted(grants, name);
  if (strlen(library) + strlen(name) + 2 > sizeof full)
    return 0;
  strcat(strcat(strcpy(full, library), "."), name);
  return names_find(full, safe) >= 0 || granted(grants, full) || granted(grants, library);
}

/* Takes out of the table on top of the stack what is not allowed. */
static void trim(lua_State *L, uint64_t grants, const char *library) {
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    lua_pop(L, 1);
    if (!is_allowed(grants, library, lua_tostring(L, -1))) {
      lua_pushvalue(L, -1);
      lua_pushnil(L);
      lua_rawset(L, -4);
    }
  }
}

static void trim_library(lua_State *L, uint64_t grants, const char *library) {
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_getfield(L, -1, library);
  trim(L, grants, library);
  lua_pop(L, 2);
}

static void trim_all(lua_State *L, uint64_t grants) {
  static const char *const libraries[] = {"os", "io", "debug", NULL};
  const char *const *library;
  for (library = libraries; *library; library++)
    trim_library(L, grants, *library);
  lua_getglobal(L, "string");
  if (!granted(grants, "string.dump")) {
    lua_pushnil(L);
    lua_setfield(L, -2, "dump");
  }
  lua_pushliteral(L, "");
  lua_getmetatable(L, -1);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pushglobaltable(L);
  trim(L, grants, NULL);
  lua_settop(L, 1);
}

/* print(…): beam.log("…"), as the host provides it */
static int print(lua_State *L) {
  int count = lua_gettop(L), i;
  luaL_Buffer text;
  luaL_buffinit(L, &text);
  for (i = 1; i <= count; i++) {
    if (i > 1)
      luaL_addchar(&text, '\t');
    luaL_tolstring(L, i, NULL);
    luaL_addvalue(&text);
  }
  luaL_pushresult(&text);
  lua_getfield(L, LUA_REGISTRYINDEX, "beam");
  if (lua_getfield(L, -1, "log") != LUA_TFUNCTION)
    return luaL_error(L, "print: the host has provided no log");
  lua_pushvalue(L, -3);
  lua_call(L, 1, 0);
  return 0;
}

void libraries_open(lua_State *L, uint64_t grants, int guarded) {
  int all = granted(grants, "all");
  luaL_openlibs(L);
  if (!all) {
    sources_setup(L, granted(grants, "package"));
    trim_all(L, grants);
  }
  if (!all && !granted(grants, "print"))
    lua_register(L, "print", print);
  if (!guarded)
    return;
  guards_setup(L);
  guarded_tables_setup(L);
  guarded_strings_setup(L);
  guarded_format_setup(L);
}

/* ---- Strict globals ---- */

static const char *name_of(lua_State *L) {
  return lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : luaL_typename(L, 2);
}

static int read_undeclared(lua_State *L) { return luaL_error(L, "undeclared global '%s'", name_of(L)); }

static int assign_undeclared(lua_State *L) {
  return luaL_error(L, "assignment to the undeclared global '%s': make it local", name_of(L));
}

void libraries_be_strict(lua_State *L) {
  static const luaL_Reg metamethods[] = {{"__index", read_undeclared}, {"__newindex", assign_undeclared}, {NULL, NULL}};
  lua_pushglobaltable(L);
  luaL_newlib(L, metamethods);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  lua_pop(L, 1);
}
