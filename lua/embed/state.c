/* The policy state of a host: Lua's libraries, the baked modules, beam.core from this library, and the options. */
#include <lauxlib.h>
#include <lualib.h>

#include "baked/modules.h"
#include "embed/host.h"

int luaopen_beam_core(lua_State *L); /* lua/binding/core.c */

static void set_text(lua_State *L, const char *name, const char *text) {
  if (text) {
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
  }
}

/* 0 is the default, which embed.lua has as nil. */
static void set_number(lua_State *L, const char *name, double value) {
  if (value != 0) {
    lua_pushnumber(L, value);
    lua_setfield(L, -2, name);
  }
}

static void set_integer(lua_State *L, const char *name, int64_t value) {
  if (value) {
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
  }
}

static void set_flag(lua_State *L, const char *name, int value) {
  if (value) {
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, name);
  }
}

static void set_list(lua_State *L, const char *name, const char *const *list) {
  int i;
  if (!list)
    return;
  lua_newtable(L);
  for (i = 0; list[i]; i++) {
    lua_pushstring(L, list[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, name);
}

static void push_options(lua_State *L, const beam_host_options *options) {
  lua_createtable(L, 0, 16);
  set_text(L, "target", options->target);
  set_text(L, "token", options->token);
  set_text(L, "gateway", options->gateway);
  set_text(L, "ca_file", options->ca_file);
  set_text(L, "config", options->config);
  set_integer(L, "memory", options->memory > INT64_MAX ? -1 : (int64_t)options->memory);
  set_integer(L, "instructions", options->instructions);
  set_number(L, "seconds", options->seconds);
  set_number(L, "tick", options->tick);
  set_number(L, "step_seconds", options->step_seconds);
  set_list(L, "allow", options->allow);
  set_flag(L, "lax", options->lax);
  set_flag(L, "insecure_auth", options->insecure_auth);
}

static int take_method(lua_State *L, const char *name) {
  lua_getfield(L, -1, name);
  return luaL_ref(L, LUA_REGISTRYINDEX);
}

int state_open(lua_State *L) {
  beam_host *host = lua_touserdata(L, 1);
  const beam_host_options *options = lua_touserdata(L, 2);
  luaL_openlibs(L);
  modules_setup(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_beam_core);
  lua_setfield(L, -2, "beam.core");
  lua_getglobal(L, "require");
  lua_pushliteral(L, "embed.host");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "new");
  event_push(L, host);
  push_options(L, options);
  lua_call(L, 2, 2);
  if (!lua_istable(L, -2))
    return 2;
  lua_pop(L, 1);
  host->step = take_method(L, "step");
  host->tick = take_method(L, "tick");
  host->call = take_method(L, "call");
  host->has = take_method(L, "has");
  host->object = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_pushliteral(L, "null");
  host->result = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_pushboolean(L, 1);
  return 1;
}
