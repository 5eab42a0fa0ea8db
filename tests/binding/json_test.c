/* core.json in a Lua state of its own, under the sanitizers: json_test.lua feeds it random, broken and cut texts and
 * values, and memory is refused at every allocation in turn.
 */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "test.h"
#include "json/json.h"

/* How many allocations are still granted; negative: all. */
static int granted = -1;

static void *allocate(void *user, void *block, size_t old_size, size_t size) {
  (void)user;
  (void)old_size;
  if (size == 0) {
    free(block);
    return NULL;
  }
  if (granted == 0)
    return NULL;
  if (granted > 0)
    granted--;
  return realloc(block, size);
}

static lua_State *state_new(void) {
#if LUA_VERSION_NUM >= 505
  lua_State *L = lua_newstate(allocate, NULL, luaL_makeseed(NULL));
#else
  lua_State *L = lua_newstate(allocate, NULL);
#endif
  luaL_openlibs(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_newtable(L);
  lua_pushcfunction(L, json_new);
  lua_setfield(L, -2, "json");
  lua_setfield(L, -2, "beam.core");
  lua_settop(L, 0);
  return L;
}

static void random_documents(void) {
  lua_State *L = state_new();
  if (!CHECK(luaL_dofile(L, "tests/binding/json_test.lua") == LUA_OK))
    printf("# %s\n", lua_tostring(L, -1));
  lua_close(L);
}

/* Calls the function on top of the stack with the text until it is granted all that it asks for. */
static int until_granted(lua_State *L, const char *text) {
  int allowed, status = LUA_ERRMEM;
  for (allowed = 0; status != LUA_OK && allowed < 1000; allowed++) {
    lua_pushvalue(L, -1);
    lua_pushstring(L, text);
    lua_gc(L, LUA_GCCOLLECT, 0);
    granted = allowed;
    status = lua_pcall(L, 1, 1, 0);
    granted = -1;
    if (status != LUA_OK) {
      CHECK_STR(lua_tostring(L, -1), "not enough memory");
      lua_pop(L, 1);
    }
  }
  CHECK_INT(status, LUA_OK);
  return allowed;
}

static void without_memory(void) {
  lua_State *L = state_new();
  REQUIRE(luaL_dostring(L, "package.path = 'lua/?.lua'\n"
                           "local decode, encode = require('beam.core').json(require 'beam.json.values')\n"
                           "local long = {('é\\n'):rep(1000)}\n"
                           "for i = 1, 3000 do long[i + 1] = i / 7 end\n"
                           "return function() assert(encode(long)) end, decode") == LUA_OK);
  CHECK(until_granted(L, "[1,[],{\"key\":\"a string of more than forty characters, an \\u00e9 among them\"}]") > 3);
  lua_pop(L, 2);
  CHECK(until_granted(L, "") > 3);
  lua_close(L);
}

int main(void) {
  RUN(random_documents);
  RUN(without_memory);
  return test_end();
}
