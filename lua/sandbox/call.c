/* The rule of two states: no error of one crosses frames of the other. So S runs under lua_pcall in a C function of P,
 * and P under lua_pcall in a C function of S; who reads the other's stack uses functions that cannot raise. */
#include "sandbox/call.h"

#include <lauxlib.h>
#include <string.h>

#include "sandbox/compile.h"
#include "sandbox/limits/collector.h"

enum { PROVIDED_CHARGE = 50, MOST_RESULTS = 250 };

void (*call_observer)(lua_State *S);

/* ---- Into S ---- */

struct call *call_of(lua_State *L) {
  return lua_touserdata(L, 1);
}

/* The message handler: where it was, while it still is there. */
static int note(lua_State *L) {
  struct limits *limits = limits_of(L);
  if (!limits->stopped)
    trace_note(&limits->trace, L);
  return 1;
}

/* False: the state broke, or has no room for a call. */
static int protect(struct limits *limits, lua_State *L, lua_CFunction function, void *argument) {
  jmp_buf here, *outer = limits->escape;
  int status = LUA_ERRMEM;
  if (setjmp(here) == 0) {
    limits->escape = &here;
    if (lua_checkstack(L, 4)) {
      lua_pushcfunction(L, note);
      lua_pushcfunction(L, function);
      lua_pushlightuserdata(L, argument);
      status = lua_pcall(L, 1, LUA_MULTRET, -3);
      if (status != LUA_OK && limits->refused.size && limits->calls && !limits->stopped)
        limits->stopped = LIMIT_MEMORY;
    } else {
      limits->stopped = LIMIT_MEMORY;
    }
    limits->escape = outer;
    return status == LUA_OK && !limits->stopped;
  }
  limits->escape = outer;
  return 0;
}

static int copy_arguments(struct call *call, lua_State *L) {
  int i;
  luaL_checkstack(L, call->count + 4, "too many arguments");
  values_begin(&call->values, NULL);
  for (i = 0; i < call->count; i++)
    if (!values_copy(&call->values, call->P, call->first + i, L))
      return 0;
  return 1;
}

int call_hook(lua_State *L) {
  struct call *call = call_of(L);
  if (call->reference) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, call->reference);
  } else {
    lua_rawgeti(L, LUA_REGISTRYINDEX, call->script->functions);
    lua_pushstring(L, call->name);
    lua_rawget(L, -2);
    lua_remove(L, -2);
  }
  if (!copy_arguments(call, L))
    return 0;
  collector_step(L); /* of calls that copy much and do little */
  lua_call(L, call->count, LUA_MULTRET);
  return lua_gettop(L) - 1;
}

int call_load(lua_State *L) {
  struct call *call = call_of(L);
  if (load_text(L, call->text, call->len, call->chunk_name) != LUA_OK)
    return lua_error(L);
  lua_call(L, 0, 1);
  load_hooks(L, call->script);
  return 0;
}

int call_setup(struct script *script, lua_CFunction function, void *argument) {
  int done = protect(&script->limits, script->S, function, argument);
  lua_settop(script->S, 0);
  return done ? 0 : -1;
}

/* ---- Out of S ---- */

/* What a script returned, with true before it; 0 if it cannot be copied. */
static int push_results(struct call *call, lua_State *S, int base) {
  int first = base + 2, count = lua_gettop(S) - base - 1, i; /* the message handler stands before them */
  lua_State *P = call->P;
  values_begin(&call->values, &call->script->limits);
  if (count > MOST_RESULTS || !lua_checkstack(P, count + 8)) {
    call->values.problem = "more than 250 results cannot be copied";
    return 0;
  }
  lua_pushboolean(P, 1);
  for (i = 0; i < count; i++)
    if (!values_copy(&call->values, S, first + i, P))
      return 0;
  return count + 1;
}

static int push_error(struct call *call, lua_State *S) {
  lua_pushnil(call->P);
  error_push(call->P, call, S);
  return 2;
}

/* From here on nothing of the script's runs. */
static void leave(struct call *call, lua_State *outer) {
  struct script *script = call->script;
  limits_leave(&script->limits);
  script->P = outer;
  if (call_observer)
    call_observer(script->limits.running);
  if (script->limits.broken)
    strncpy(script->broken_by, call->name ? call->name : "", sizeof script->broken_by - 1);
}

static int push_outcome(struct call *call, lua_State *S, int base, int done) {
  lua_State *P = call->P;
  int top = lua_gettop(P), pushed = done ? push_results(call, S, base) : 0;
  if (!pushed) {
    lua_settop(P, top);
    pushed = push_error(call, S);
  }
  if (!call->script->limits.broken)
    lua_settop(S, base);
  return pushed;
}

int call_run(struct call *call, lua_CFunction function) {
  struct script *script = call->script;
  struct limits *limits = &script->limits;
  lua_State *P = call->P, *outer = script->P, *S = limits->calls ? limits->running : script->S;
  int top = lua_gettop(P), base, done;
  luaL_checkstack(P, 8, NULL);
  if (limits->broken)
    return push_error(call, S);
  base = lua_gettop(S);
  script->P = P;
  call->values.problem = NULL;
  limits_enter(limits, S);
  if (call_observer)
    call_observer(S);
  done = protect(limits, S, function, call);
  leave(call, outer);
  lua_settop(P, top); /* a provided function may have been left by an error */
  if (done && call->values.problem) {
    char text[256];
    values_describe(&call->values, text, sizeof text);
    lua_settop(S, base);
    return luaL_error(P, "%s: %s", call->name, text);
  }
  return push_outcome(call, S, base, done);
}

/* ---- From S into P ---- */

struct provided {
  lua_State *L; /* of S: the arguments */
  const char *name;
  struct values values;
};

static int to_text(lua_State *P) {
  luaL_tolstring(P, 1, NULL);
  return 1;
}

/* P, protected: (provided, object) -> results */
static int run_provided(lua_State *P) {
  struct provided *provided = lua_touserdata(P, 1);
  int count = lua_gettop(provided->L), i;
  lua_getiuservalue(P, 2, 1);
  lua_getfield(P, -1, provided->name);
  luaL_checkstack(P, count, "too many arguments");
  values_begin(&provided->values, limits_of(provided->L));
  for (i = 1; i <= count; i++)
    if (!values_copy(&provided->values, provided->L, i, P))
      return 0;
  lua_call(P, count, LUA_MULTRET);
  if (lua_gettop(P) >= 5 && lua_isnil(P, 4) && !lua_isstring(P, 5)) { /* nil, err */
    luaL_tolstring(P, 5, NULL);
    lua_replace(P, 5);
  }
  return lua_gettop(P) - 3;
}

/* P is left as it was, for the script may go on: base is its top before the call. */
static int refuse(lua_State *L, const struct provided *provided, lua_State *P, int base, const char *what) {
  char text[256];
  lua_settop(P, base);
  limits_reraise(L);
  values_describe(&provided->values, text, sizeof text);
  return luaL_error(L, "beam.%s: %s%s", provided->name, what, text);
}

/* beam.<name>(…) */
static int call_provided(lua_State *L) {
  struct limits *limits = limits_of(L);
  lua_State *P = ((struct script *)limits)->P;
  struct provided provided = {.L = L, .name = lua_tostring(L, lua_upvalueindex(1))};
  int base = lua_gettop(P), count, i, status;
  limits_charge(L, PROVIDED_CHARGE);
  if (!lua_checkstack(P, 8))
    return luaL_error(L, "beam.%s: the host is out of memory", provided.name);
  lua_pushcfunction(P, to_text);
  lua_pushcfunction(P, run_provided);
  lua_pushlightuserdata(P, &provided);
  lua_pushvalue(P, 1);
  status = lua_pcall(P, 2, LUA_MULTRET, base + 1);
  if (limits->broken)
    limits_break(limits);
  limits_spend(L);
  if (provided.values.problem)
    return refuse(L, &provided, P, base, "");
  if (status != LUA_OK) {
    lua_pushstring(L, lua_tostring(P, -1));
    lua_settop(P, base);
    return luaL_error(L, "beam.%s: %s", provided.name, lua_tostring(L, -1));
  }
  count = lua_gettop(P) - base - 1;
  luaL_checkstack(L, count + 4, "too many results");
  values_begin(&provided.values, limits);
  for (i = 0; i < count; i++)
    if (!values_copy(&provided.values, P, base + 2 + i, L))
      return refuse(L, &provided, P, base, "its result: ");
  lua_settop(P, base);
  return count;
}

void call_provide(lua_State *L, const char *name) {
  lua_getfield(L, LUA_REGISTRYINDEX, "beam");
  lua_pushstring(L, name);
  lua_pushcclosure(L, call_provided, 1);
  lua_setfield(L, -2, name);
}
