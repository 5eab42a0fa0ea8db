/* The searcher for baked modules: a linear search in a table of some forty names, for modules that are loaded once. */
#include "baked/modules.h"

#include <lauxlib.h>
#include <string.h>

#include "baked/baked.h"
#include "sandbox/script.h"

#ifdef BEAMLUA_CJSON
int luaopen_cjson(lua_State *L); /* liblua5.4-cjson.a comes without a header */
int luaopen_cjson_safe(lua_State *L);
#else
/* What beam.core has, without loading the transport (lua/beam/json/null.lua). */
static int open_null(lua_State *L) {
  lua_pushlightuserdata(L, NULL);
  return 1;
}
#endif

static const struct baked_module *find(const char *name) {
  const struct baked_module *module = baked_modules;
  while (module->name && strcmp(module->name, name) != 0)
    module++;
  return module->name ? module : NULL;
}

int modules_has(const char *name) { return find(name) != NULL; }

/* searcher(name) -> loader, chunk name | message */
static int search(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  const struct baked_module *module = find(name);
  if (!module) {
    lua_pushfstring(L, "no module '%s' in beamlua", name);
    return 1;
  }
  if (luaL_loadbufferx(L, module->text, module->len, module->chunk, "b") != LUA_OK)
    return lua_error(L);
  lua_pushstring(L, module->chunk + 1);
  return 2;
}

/* package.searchers: preload, ours, package.path, package.cpath, all in one. */
static void insert_searcher(lua_State *L) {
  lua_Integer i;
  lua_getfield(L, -1, "searchers");
  for (i = luaL_len(L, -1); i >= 2; i--) {
    lua_geti(L, -1, i);
    lua_seti(L, -2, i + 1);
  }
  lua_pushcfunction(L, search);
  lua_seti(L, -2, 2);
  lua_pop(L, 1);
}

static void preload(lua_State *L, const char *name, lua_CFunction open) {
  lua_pushcfunction(L, open);
  lua_setfield(L, -2, name);
}

void modules_setup(lua_State *L) {
  lua_getglobal(L, "package");
  insert_searcher(L);
  lua_getfield(L, -1, "preload");
#ifdef BEAMLUA_CJSON
  preload(L, "cjson", luaopen_cjson);
  preload(L, "cjson.safe", luaopen_cjson_safe);
#else
  preload(L, "beam.json.null", open_null);
#endif
  preload(L, "sandbox.script", script_open);
  lua_pop(L, 2);
}
