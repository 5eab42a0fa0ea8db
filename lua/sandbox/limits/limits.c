/* Counting, stopping, breaking; the clock; when the collector runs is in collector.c, what is allocated in
 * allocator.c. */
#include "sandbox/limits/limits.h"

#include <lauxlib.h>
#include <time.h>

#include "sandbox/limits/collector.h"

enum {
  INTERVAL = 100,       /* instructions between two hooks; the cost of the hook hardly depends on it */
  SLOW_NS = 300000,     /* an interval that takes longer is too long */
  FAST_NS = 30000,      /* and one that takes less may be doubled */
  UNWINDINGS = 1000,    /* protected calls, message handlers and the like that one stop may pass through */
  LEAST_GRACE = 2000000 /* ns */
};

static const char stop_mark; /* its address is the error object of a stop */

/* ---- Clocks ---- */

static int64_t read_clock(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t limits_now(void) { return read_clock(CLOCK_MONOTONIC); }

int64_t limits_cpu(void) { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

/* CPU time, so that a script which was stopped is not given up because others had the processor. */
void limits_break_if_late(struct limits *limits) {
  int64_t cpu = limits_cpu(), grace = limits->nanoseconds / 8;
  if (!limits->late_since)
    limits->late_since = cpu;
  else if (limits->escape && cpu - limits->late_since > (grace > LEAST_GRACE ? grace : LEAST_GRACE))
    limits_break(limits);
}

void limits_break(struct limits *limits) {
  if (!limits->stopped)
    limits->stopped = LIMIT_TIME;
  if (!limits->trace.line)
    trace_note(&limits->trace, limits->running);
  limits->broken = 1;
  longjmp(*limits->escape, 1);
}

/* ---- Stopping ---- */

static void raise_stop(lua_State *L) {
  struct limits *limits = limits_of(L);
  if (++limits->unwound > UNWINDINGS)
    limits_break(limits);
  if (limits->nanoseconds && limits_now() > limits->deadline)
    limits_break_if_late(limits);
  lua_sethook(L, limits_hook, LUA_MASKCOUNT, 1);
  lua_pushlightuserdata(L, (void *)&stop_mark);
  lua_error(L);
}

static void stop(lua_State *L, enum limit limit) {
  struct limits *limits = limits_of(L);
  limits->stopped = limit;
  limits->credit = -1;    /* so that each charge raises it again */
  limits->late_since = 0; /* unwinding has a grace of its own */
  trace_note(&limits->trace, L);
  raise_stop(L);
}

/* What is used up at time `now`. */
static enum limit exceeded(const struct limits *limits, int64_t now) {
  if (limits->stopped)
    return limits->stopped;
  if (limits->left < 0)
    return LIMIT_INSTRUCTIONS;
  return limits->nanoseconds && now > limits->deadline ? LIMIT_TIME : LIMIT_NONE;
}

static void check(lua_State *L, int64_t now) {
  struct limits *limits = limits_of(L);
  enum limit limit = exceeded(limits, now);
  if (limits->stopped)
    raise_stop(L);
  if (limit)
    stop(L, limit);
}

void limits_reraise(lua_State *L) {
  struct limits *limits = limits_of(L);
  if (!limits->stopped && limits->refused.size)
    stop(L, LIMIT_MEMORY);
  if (limits->stopped)
    raise_stop(L);
}

/* ---- Counting ---- */

static void take_credit(struct limits *limits) {
  if (limits->instructions)
    limits->left -= LIMITS_CREDIT - limits->credit;
  limits->credit = LIMITS_CREDIT;
}

void limits_spend(lua_State *L) {
  struct limits *limits = limits_of(L);
  take_credit(limits);
  check(L, limits_now());
}

int limits_allow(struct limits *limits, uint64_t instructions) {
  limits->credit -= (int64_t)instructions;
  if (limits->credit >= 0)
    return !limits->stopped;
  take_credit(limits);
  if (!limits->stopped && (limits->stopped = exceeded(limits, limits_now())) != LIMIT_NONE && limits->running)
    trace_note(&limits->trace, limits->running);
  return !limits->stopped;
}

static int longest_interval(const struct limits *limits) {
  int interval = limits->memory.level < 14
                     ? INTERVAL
                     : INTERVAL >> (limits->memory.level - 13 < 7 ? limits->memory.level - 13 : 7);
  return interval > 1 ? interval : 1;
}

/* The next interval: short where instructions are slow, whatever it is that makes them so. */
static int next_interval(const struct limits *limits, int interval, int64_t taken) {
  int longest = longest_interval(limits);
  if (taken > SLOW_NS)
    interval /= 8;
  else if (taken < FAST_NS)
    interval *= 2;
  return interval > longest ? longest : interval > 1 ? interval : 1;
}

void limits_hook(lua_State *L, lua_Debug *frame) {
  struct limits *limits = limits_of(L);
  int interval = lua_gethookcount(L), next;
  int64_t now = limits_now();
  (void)frame;
  limits->left -= interval;
  check(L, now);
  collector_step(L);
  next = next_interval(limits, interval, now - limits->last_look);
  limits->last_look = now;
  if (next != interval)
    lua_sethook(L, limits_hook, LUA_MASKCOUNT, next);
}

void limits_look_soon(struct limits *limits) {
  if (limits->running && limits->calls && lua_gethookcount(limits->running) > longest_interval(limits))
    lua_sethook(limits->running, limits_hook, LUA_MASKCOUNT, 1);
}

/* ---- Calls ---- */

void limits_enter(struct limits *limits, lua_State *L) {
  if (limits->calls++)
    return;
  limits->running = L;
  limits->depth = 0;
  limits->stopped = LIMIT_NONE;
  limits->late_since = limits->unwound = 0;
  limits->since_clock = 0;
  limits->refused.size = 0;
  limits->credit = LIMITS_CREDIT;
  limits->left = limits->instructions ? limits->instructions : INT64_MAX;
  limits->begun = limits->last_look = limits_now();
  limits->deadline = limits->begun + limits->nanoseconds;
  trace_clear(&limits->trace);
}

void limits_leave(struct limits *limits) {
  if (--limits->calls)
    return;
  limits->seconds_taken = limits_now() - limits->begun;
  limits->running = NULL;
}

int limits_any(const struct limits *limits) { return limits->bytes || limits->instructions || limits->nanoseconds; }

void limits_arm(lua_State *L) {
  struct limits *limits = limits_of(L);
  if (!limits->instructions && !limits->nanoseconds)
    return;
  collector_take_over(L);
  lua_sethook(L, limits_hook, LUA_MASKCOUNT, INTERVAL); /* before any coroutine is: they inherit it */
}

/* ---- Coroutines ---- */

void limits_mark_stopped(lua_State *coroutine) { *(uintptr_t *)lua_getextraspace(coroutine) |= 1; }

int limits_was_stopped(lua_State *coroutine) { return *(uintptr_t *)lua_getextraspace(coroutine) & 1; }
