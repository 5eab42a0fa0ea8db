/* sandbox.script, the module table and the object: options, methods. */
#include "sandbox/script.h"

#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/call.h"
#include "sandbox/libraries/libraries.h"
#include "sandbox/names.h"

#define CLASS "sandbox.script"

enum { OPTIONS = 1, LEAST_BYTES = 256 << 10, DEFAULT_BYTES = 64 << 20 };

/* ---- Options ---- */

struct options {
  size_t bytes;
  lua_Integer instructions;
  lua_Number seconds;
  uint64_t grants;
  int strict;
};

static const char *hint(lua_State *P, const char *name, const char *const *known) {
  const char *meant = names_nearest(name, known);
  return meant ? lua_pushfstring(P, "; did you mean '%s'?", meant) : lua_pushliteral(P, "");
}

static void check_names(lua_State *P) {
  static const char *const known[] = {"memory", "instructions", "seconds", "allow", "strict", NULL};
  lua_pushnil(P);
  while (lua_next(P, OPTIONS)) {
    const char *name = lua_type(P, -2) == LUA_TSTRING ? lua_tostring(P, -2) : luaL_typename(P, -2);
    if (names_find(name, known) < 0)
      luaL_error(P, "script.new: unknown option '%s'%s", name, hint(P, name, known));
    lua_pop(P, 1);
  }
}

static uint64_t grant(lua_State *P, const char *name) {
  int at = names_find(name, libraries_grants);
  if (at < 0)
    luaL_error(P, "script.new: option 'allow': '%s' cannot be granted%s", name, hint(P, name, libraries_grants));
  return at < 0 ? 0 : (uint64_t)1 << at;
}

static uint64_t read_grants(lua_State *P) {
  uint64_t grants = 0;
  lua_Integer i, count;
  if (lua_getfield(P, OPTIONS, "allow") == LUA_TSTRING)
    return grant(P, lua_tostring(P, -1));
  if (lua_isnil(P, -1))
    return 0;
  if (!lua_istable(P, -1))
    luaL_error(P, "script.new: option 'allow' is a list of names, or \"all\", not a %s", luaL_typename(P, -1));
  count = luaL_len(P, -1);
  for (i = 1; i <= count; i++) {
    if (lua_geti(P, -1, i) != LUA_TSTRING)
      luaL_error(P, "script.new: option 'allow' has a %s among its names", luaL_typename(P, -1));
    grants |= grant(P, lua_tostring(P, -1));
    lua_pop(P, 1);
  }
  return grants;
}

static size_t read_memory(lua_State *P) {
  lua_Integer bytes = DEFAULT_BYTES;
  lua_getfield(P, OPTIONS, "memory");
  if (lua_isboolean(P, -1) && !lua_toboolean(P, -1))
    return 0;
  if (!lua_isnil(P, -1) && (!lua_isinteger(P, -1) || (bytes = lua_tointeger(P, -1)) < LEAST_BYTES))
    luaL_error(P, "script.new: option 'memory' is a number of bytes, at least %d, or false", LEAST_BYTES);
  return (size_t)bytes;
}

static void read_options(lua_State *P, struct options *options) {
  int is_number;
  check_names(P);
  options->bytes = read_memory(P);
  lua_getfield(P, OPTIONS, "instructions");
  options->instructions = lua_tointegerx(P, -1, &is_number);
  if (!lua_isnil(P, -1) && (!is_number || options->instructions < 1))
    luaL_error(P, "script.new: option 'instructions' is a whole number, at least 1");
  lua_getfield(P, OPTIONS, "seconds");
  options->seconds = lua_tonumberx(P, -1, &is_number);
  if (!lua_isnil(P, -1) && !(is_number && options->seconds > 0 && options->seconds <= 1e6))
    luaL_error(P, "script.new: option 'seconds' is a number above 0, at most 1000000");
  lua_getfield(P, OPTIONS, "strict");
  options->strict = lua_isnil(P, -1) || lua_toboolean(P, -1);
  options->grants = read_grants(P);
}

/* ---- Making one ---- */

/* S: beam = { null =, array = } */
static int array(lua_State *L) {
  if (lua_isnoneornil(L, 1))
    lua_newtable(L);
  else
    lua_settop(L, 1);
  luaL_checktype(L, -1, LUA_TTABLE);
  if (luaL_getmetafield(L, -1, "__metatable") != LUA_TNIL)
    return luaL_error(L, "beam.array: the table has a metatable that is protected");
  values_push_array(L);
  lua_setmetatable(L, -2);
  return 1;
}

static void open_beam(lua_State *L) {
  lua_createtable(L, 0, 2);
  lua_pushliteral(L, "beam.array");
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  values_set_array(L);
  lua_createtable(L, 0, 8);
  lua_pushlightuserdata(L, NULL);
  lua_setfield(L, -2, "null");
  lua_pushcfunction(L, array);
  lua_setfield(L, -2, "array");
  lua_pushvalue(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, "beam");
  lua_setglobal(L, "beam");
}

/* S, protected */
static int setup(lua_State *L) {
  const struct options *options = lua_touserdata(L, 1);
  libraries_open(L, options->grants, limits_any(limits_of(L)));
  open_beam(L);
  if (options->strict)
    libraries_be_strict(L);
  limits_arm(L);
  return 0;
}

static int push_no_memory(lua_State *P) {
  lua_pushnil(P);
  lua_createtable(P, 0, 2);
  lua_pushliteral(P, "no_memory");
  lua_setfield(P, -2, "kind");
  lua_pushliteral(P, "not enough memory for the state of a script");
  lua_setfield(P, -2, "message");
  return 2;
}

static void release(struct script *script) {
  if (script->S)
    limits_free(&script->limits, script->S);
  free(script);
}

static int new_script(lua_State *P) {
  struct options options;
  struct script **object, *script;
  if (lua_isnoneornil(P, OPTIONS))
    lua_newtable(P);
  luaL_checktype(P, OPTIONS, LUA_TTABLE);
  lua_settop(P, OPTIONS);
  read_options(P, &options);
  object = lua_newuserdatauv(P, sizeof(struct script *), 1);
  *object = NULL;
  luaL_setmetatable(P, CLASS);
  lua_newtable(P);
  lua_setiuservalue(P, -2, 1);
  script = calloc(1, sizeof *script);
  if (!script)
    return push_no_memory(P);
  *object = script;
  script->limits.bytes = options.bytes;
  script->limits.instructions = options.instructions;
  script->limits.nanoseconds = (int64_t)ceil(options.seconds * 1e9); /* 0 would be no limit */
  script->S = limits_new_state(&script->limits);
  if (!script->S || call_setup(script, setup, &options))
    return push_no_memory(P);
  return 1;
}

/* ---- Methods ---- */

static struct script *check(lua_State *P) {
  struct script **object = luaL_checkudata(P, 1, CLASS);
  if (!*object)
    luaL_error(P, "this script is closed");
  return *object;
}

static int provide_in(lua_State *L) {
  call_provide(L, lua_touserdata(L, 1));
  return 0;
}

static int provide(lua_State *P) {
  struct script *script = check(P);
  const char *name = luaL_checkstring(P, 2);
  luaL_checktype(P, 3, LUA_TFUNCTION);
  if (script->loaded || script->limits.calls)
    return luaL_error(P, "provide: '%s' comes too late, the script is loaded", name);
  lua_getiuservalue(P, 1, 1);
  lua_pushvalue(P, 3);
  lua_setfield(P, -2, name);
  if (call_setup(script, provide_in, (void *)name))
    return luaL_error(P, "provide: not enough memory");
  return 0;
}

static int load(lua_State *P) {
  struct call call = {.script = check(P), .P = P};
  int pushed;
  call.text = luaL_checklstring(P, 2, &call.len);
  call.chunk_name = luaL_checkstring(P, 3);
  if (call.script->loaded || call.script->limits.calls)
    return luaL_error(P, "load: a script is loaded already; a reload is a new sandbox.script");
  pushed = call_run(&call, call_load);
  return pushed;
}

static void look_up(lua_State *P, struct call *call) {
  struct script *script = call->script;
  int hook = names_find(call->name, script_hooks);
  call->P = P;
  call->first = 3;
  call->count = lua_gettop(P) - 2;
  call->reference = hook < 0 || !script->loaded ? 0 : script->hooks[hook];
}

/* (object, hook, …) */
static int call(lua_State *P) {
  struct call call = {.script = check(P), .name = luaL_checkstring(P, 2)};
  look_up(P, &call);
  if (!call.script->loaded)
    return luaL_error(P, "call: no script is loaded");
  if (!call.reference)
    return luaL_error(P, "call: there is no hook '%s'%s", call.name, hint(P, call.name, script_hooks));
  if (call.reference == LUA_NOREF) {
    lua_pushboolean(P, 1);
    return 1;
  }
  return call_run(&call, call_hook);
}

/* Whether the table has it; read without raising. */
static int has_function(struct script *script, const char *name) {
  lua_State *S = script->limits.calls ? script->limits.running : script->S;
  int top = lua_gettop(S), found = 0;
  if (!script->loaded || script->limits.broken || !lua_checkstack(S, 4))
    return 0;
  lua_rawgeti(S, LUA_REGISTRYINDEX, script->functions);
  lua_pushnil(S);
  while (!found && lua_next(S, top + 1)) {
    found = !strcmp(lua_tostring(S, -2), name);
    lua_pop(S, 1);
  }
  lua_settop(S, top);
  return found;
}

/* (object, name, …) */
static int call_function(lua_State *P) {
  struct call call = {.script = check(P), .name = luaL_checkstring(P, 2)};
  look_up(P, &call);
  if (!call.script->limits.broken && !has_function(call.script, call.name))
    return luaL_error(P, "call_function: the script has no function '%s'", call.name);
  if (call.reference == LUA_NOREF)
    call.reference = 0;
  return call_run(&call, call_hook);
}

static int has(lua_State *P) {
  struct script *script = check(P);
  lua_pushboolean(P, has_function(script, luaL_checkstring(P, 2)));
  return 1;
}

static int usage(lua_State *P) {
  const struct limits *limits = &check(P)->limits;
  int64_t left = limits->left - (LIMITS_CREDIT - (limits->credit < 0 ? 0 : limits->credit));
  lua_createtable(P, 0, 4);
  lua_pushinteger(P, (lua_Integer)limits->memory.used);
  lua_setfield(P, -2, "memory");
  lua_pushinteger(P, (lua_Integer)limits->memory.peak);
  lua_setfield(P, -2, "peak");
  lua_pushinteger(P, limits->begun ? (limits->instructions ? limits->instructions : INT64_MAX) - left : 0);
  lua_setfield(P, -2, "instructions");
  lua_pushnumber(P, (lua_Number)limits->seconds_taken / 1e9);
  lua_setfield(P, -2, "seconds");
  return 1;
}

static int close(lua_State *P) {
  struct script **object = luaL_checkudata(P, 1, CLASS);
  if (!*object)
    return 0;
  if ((*object)->limits.calls)
    return luaL_error(P, "close: a call of this script is on the stack");
  release(*object);
  *object = NULL;
  return 0;
}

static int to_string(lua_State *P) {
  struct script **object = luaL_checkudata(P, 1, CLASS);
  lua_pushfstring(P, CLASS " (%s)", !*object ? "closed" : (*object)->limits.broken ? "given up" : "open");
  return 1;
}

/* ---- The module ---- */

/* The marks of arrays, which the JSON module has; without it (a program that uses no other part of beam) one of our
 * own. */
static void find_array_marks(lua_State *P) {
  lua_getglobal(P, "require");
  lua_pushliteral(P, "beam.json.values");
  if (lua_pcall(P, 1, 1, 0) != LUA_OK || !lua_istable(P, -1)) {
    lua_pop(P, 1);
    lua_newtable(P);
    values_set_array(P);
    return;
  }
  lua_getfield(P, -1, "array_mt");
  values_set_array(P);
  lua_getfield(P, -1, "empty_array_mt");
  values_set_empty_array(P);
  lua_pop(P, 1);
}

static void push_hooks(lua_State *P) {
  int hook;
  lua_createtable(P, SCRIPT_HOOKS, 0);
  for (hook = 0; hook < SCRIPT_HOOKS; hook++) {
    lua_pushstring(P, script_hooks[hook]);
    lua_rawseti(P, -2, hook + 1);
  }
}

int script_open(lua_State *P) {
  static const luaL_Reg functions[] = {{"new", new_script}, {NULL, NULL}};
  static const luaL_Reg methods[] = {
      {"provide", provide}, {"load", load},   {"call", call},   {"call_function", call_function},
      {"has", has},         {"usage", usage}, {"close", close}, {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__gc", close}, {"__close", close}, {"__tostring", to_string}, {NULL, NULL}};
  luaL_newmetatable(P, CLASS);
  luaL_setfuncs(P, metamethods, 0);
  luaL_newlib(P, methods);
  lua_setfield(P, -2, "__index");
  error_setup(P);
  find_array_marks(P);
  luaL_newlib(P, functions);
  push_hooks(P);
  lua_setfield(P, -2, "hooks");
  return 1;
}
