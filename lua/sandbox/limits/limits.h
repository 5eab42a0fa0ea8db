/* The budget of a script: memory for its state, instructions and time for each call.
 *
 *  1. A hook counts instructions, each hundred or fewer, and looks at the clock. Functions in C charge for what they
 * do.
 *  2. What is over its budget is *stopped*: an error that nothing of the script's can hold (guards.c raises it
 * again after each protected call), until the call ends. The state can be called again.
 *  3. What does not unwind in time is *broken*: a jump out of the state, of which nothing runs any more; its memory is
 *     released block by block. So the bound does not depend on the script's good will, nor on a list of all its tricks.
 *  4. The collector is driven from here, not by allocations, as weak keys can make one step of it take minutes: before
 * each step those that a script has sneaked in are taken out.
 */
#pragma once

#include <lua.h>
#include <setjmp.h>
#include <stdint.h>

#include "sandbox/limits/memory.h"
#include "sandbox/traceback.h"

enum limit { LIMIT_NONE, LIMIT_MEMORY, LIMIT_INSTRUCTIONS, LIMIT_TIME };

struct limits {
  /* Set by the owner; 0: no limit. */
  size_t bytes;
  int64_t instructions, nanoseconds;

  struct memory memory;
  lua_State *running; /* the coroutine of the script that runs; NULL: none */
  lua_State *watcher; /* a thread on which tables are looked at while another runs */
  int calls;          /* calls from outside that are on the stack */
  int depth;          /* coroutines that run, one within the other */
  enum limit stopped;
  int broken;
  const char *reason; /* why it broke, if not for lack of time to unwind */
  jmp_buf *escape;    /* where a state that breaks is left to; NULL outside of calls */
  struct trace trace;

  int64_t credit; /* charges that are not yet counted and for which no clock is read */
  int64_t left, begun, deadline;
  int64_t last_look;     /* when the hook last ran */
  int64_t late_since;    /* CPU time at which it was first seen to be late */
  int64_t seconds_taken; /* ns, of the latest call */
  size_t since_clock;    /* bytes allocated since the clock was read */
  int unwound;           /* how often the stop has been raised again */
  int collecting;
  size_t threshold, collected_at; /* bytes */
  struct {
    const void *block;
    size_t old_size, size;
  } refused; /* the latest allocation if it was refused: asked for again, it fails for good */
};

enum { LIMITS_CREDIT = 1000, LIMITS_COROUTINES = 180 /* each takes one of LUAI_MAXCCALLS, 200, and C stack */ };

static inline struct limits *limits_of(lua_State *L) {
  uintptr_t bits = *(uintptr_t *)lua_getextraspace(L);
  return (struct limits *)(bits & ~(uintptr_t)1);
}

/* A new state under the limits in `limits`; NULL: out of memory. The owner frees it with limits_free. */
lua_State *limits_new_state(struct limits *limits);
/* Protected, once the libraries are open: from now on the budget counts. */
void limits_arm(lua_State *L);
/* Closes the state, or releases a broken one. */
void limits_free(struct limits *limits, lua_State *main);
/* True if any budget is set: then the script's functions have to be the guarded ones. */
int limits_any(const struct limits *limits);

/* Around each call from outside; the outermost one has the budget anew. */
void limits_enter(struct limits *limits, lua_State *L);
void limits_leave(struct limits *limits);
/* Jumps out. Only within a call. */
_Noreturn void limits_break(struct limits *limits);

/* For functions in C: so many instructions' worth of work (10 ns each). Raises if the script is stopped. */
void limits_spend(lua_State *L);
static inline void limits_charge(lua_State *L, uint64_t instructions) {
  struct limits *limits = limits_of(L);
  limits->credit -= (int64_t)(instructions < INT64_MAX / 4 ? instructions : INT64_MAX / 4);
  if (limits->credit < 0)
    limits_spend(L);
}
/* The same outside of the state: returns 0 if the budget is used up. */
int limits_allow(struct limits *limits, uint64_t instructions);
/* After an error was caught: raises again what stopped the script, if something did; an allocation that was refused
 * does. */
void limits_reraise(lua_State *L);

/* A coroutine that was stopped must not be closed: its hooks are off for good (lua_resetthread, 5.4.4). */
void limits_mark_stopped(lua_State *coroutine);
int limits_was_stopped(lua_State *coroutine);
/* A table that became a metatable. */
void limits_add_metatable(lua_State *L, int index);
/* True for a `__mode` that is weak in its keys only. */
int limits_weak_keys(lua_State *L, int index);
