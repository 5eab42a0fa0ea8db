/* From P into the script and back: protected calls, what is provided to it, its errors. */
#pragma once

#include <lua.h>

#include "sandbox/limits/limits.h"
#include "sandbox/values.h"

enum { SCRIPT_HOOKS = 10, SCRIPT_NAME = 64 /* bytes that an error keeps of a hook's name */ };
extern const char *const script_hooks[SCRIPT_HOOKS + 1]; /* NULL ends it */

struct script {
  struct limits limits; /* first: limits_of(S) is the script */
  lua_State *S;         /* NULL: closed */
  lua_State *P;         /* the state, or coroutine of it, whose call is on the stack; its index 1 is the object */
  int loaded;
  int hooks[SCRIPT_HOOKS]; /* references in S, LUA_NOREF: it has not */
  int functions;           /* the reference of a table: what the script returned */
  char broken_by[SCRIPT_NAME];
};

struct call {
  struct script *script;
  const char *name; /* of the hook or function; NULL: the script itself is run */
  int reference;    /* the function, or 0: by name */
  lua_State *P;
  int first, count; /* arguments on P's stack */
  const char *text; /* to be loaded */
  size_t len;
  const char *chunk_name;
  struct values values;
};

/* Runs `function` in S, protected: it finds the struct call by call_of. Returns the number of values pushed onto P:
 * true and its results, or nil and the error. Raises in P if the arguments cannot be copied. */
int call_run(struct call *call, lua_CFunction function);
struct call *call_of(lua_State *L);
/* Told which state of a script runs whenever that changes, NULL: none. For a program of one thread that interrupts it
 * by a signal; NULL (the default): nobody is told. */
extern void (*call_observer)(lua_State *S);
/* lua_CFunctions for call_run. */
int call_hook(lua_State *L);
int call_load(lua_State *L);
/* Before loading, unlimited; returns 0, or -1 for lack of memory. */
int call_setup(struct script *script, lua_CFunction function, void *argument);
/* For call_setup's functions: sets beam.<name> to what calls the function `name` of the object's. */
void call_provide(lua_State *L, const char *name);

/* error.c: pushes onto P the error that the state ended with; its error object is on top of S, unless it is
 * stopped or broken. */
void error_push(lua_State *P, const struct call *call, lua_State *S);
void error_setup(lua_State *P);
