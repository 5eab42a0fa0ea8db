/* beam.counter: exchanges that repeat are added up here and sent once more, without a call into Lua for each, as long
 * as nothing is remarkable about them: a status of success, an answer like the last one that Lua found good, no id of a
 * task. Everything else is an event as always. The buckets are those of lua/beamlua/load/histogram.lua: 1024 for each
 * doubling of a duration. */
#include <stdlib.h>
#include <string.h>

#include "binding.h"

#define COUNTER_CLASS "beam.counter"

enum {
  HALF = 1024,
  DOUBLINGS = 26,
  BUCKETS = (DOUBLINGS + 2) * HALF,
  KNOWN_MAX = 4096 /* bytes of an answer that is compared */
};

static const double longest = 24 * 3600 * 1e6; /* microseconds: a day */

struct histogram {
  uint32_t counts[BUCKETS];
  uint32_t filled[BUCKETS]; /* numbers of the buckets that are not 0, in the order in which they were first used */
  size_t used;
  uint64_t count;
  double sum, least, most;
};

#define X(key, part) #part,
static const char *const names[] = {TIMES_MAP(X)};
#undef X

struct counter {
  uint64_t allowed; /* so many exchanges may yet begin */
  uint64_t count, bytes, connections;
  int any; /* every answer is good */
  size_t known_len;
  char known[KNOWN_MAX];
  struct histogram parts[TIMES_COUNT];
};

/* ---- Adding ---- */

static size_t bucket_of(double microseconds) {
  uint64_t value = (uint64_t)(microseconds < longest ? microseconds : longest);
  unsigned doublings = 0;
  while (value >> doublings >= (uint64_t)2 * HALF)
    doublings++;
  return (size_t)doublings * HALF + (size_t)(value >> doublings);
}

static void add(struct histogram *to, double seconds) {
  size_t bucket = bucket_of(seconds * 1e6 + 0.5);
  if (!to->counts[bucket]++)
    to->filled[to->used++] = (uint32_t)bucket;
  if (!to->count++ || seconds < to->least)
    to->least = seconds;
  if (seconds > to->most)
    to->most = seconds;
  to->sum += seconds;
}

static int has_task(const beam_http_event *event) {
  size_t i;
  for (i = 0; i < event->header_count; i++)
    if (!strcmp(event->headers[i].name, "x-task-id"))
      return 1;
  return 0;
}

static int is_good(const struct counter *counter, const beam_http_event *event) {
  return counter->any || (event->len == counter->known_len && !memcmp(event->data, counter->known, event->len));
}

int counter_take(struct counter *counter, beam_http *http, const beam_http_event *event) {
#define X(key, part) event->times->part,
  double parts[] = {TIMES_MAP(X)};
#undef X
  int i;
  if (event->error || event->status / 100 != 2 || !counter->allowed || !is_good(counter, event) || has_task(event))
    return 0;
  for (i = 0; i < TIMES_COUNT; i++)
    if (parts[i] > 0)
      add(&counter->parts[i], parts[i]);
  counter->count++;
  counter->bytes += event->len;
  counter->connections += event->times->tcp > 0;
  counter->allowed--;
  beam_http_again(http); /* it has ended with an answer, and so it can */
  return 1;
}

/* ---- For Lua ---- */

struct counter *counter_check(lua_State *L, int argument) {
  return luaL_checkudata(L, argument, COUNTER_CLASS);
}

int counter_new(lua_State *L) {
  struct counter *counter = lua_newuserdata(L, sizeof *counter);
  memset(counter, 0, sizeof *counter);
  counter->known_len = (size_t)-1; /* no answer is like it */
  luaL_getmetatable(L, COUNTER_CLASS);
  lua_setmetatable(L, -2);
  return 1;
}

static int allow(lua_State *L) {
  counter_check(L, 1)->allowed = (uint64_t)luaL_checknumber(L, 2);
  return 0;
}

static int claim(lua_State *L) {
  struct counter *counter = counter_check(L, 1);
  lua_pushboolean(L, counter->allowed > 0);
  counter->allowed -= counter->allowed > 0;
  return 1;
}

static int know(lua_State *L) {
  struct counter *counter = counter_check(L, 1);
  size_t len;
  const char *text;
  if (lua_isboolean(L, 2)) {
    counter->any = lua_toboolean(L, 2);
    return 0;
  }
  text = luaL_checklstring(L, 2, &len);
  if (len > KNOWN_MAX)
    return 0;
  memcpy(counter->known, text, len);
  counter->known_len = len;
  return 0;
}

static void set_number(lua_State *L, const char *name, double value) {
  lua_pushnumber(L, value);
  lua_setfield(L, -2, name);
}

static void set_count(lua_State *L, const char *name, uint64_t value) {
  lua_pushinteger(L, (lua_Integer)value);
  lua_setfield(L, -2, name);
}

/* { count, sum, least, most, bucket, times, bucket, times, … }, and empties it. */
static void push_histogram(lua_State *L, struct histogram *of) {
  size_t i;
  lua_createtable(L, (int)(2 * of->used), 4);
  set_count(L, "count", of->count);
  set_number(L, "sum", of->sum);
  set_number(L, "least", of->least);
  set_number(L, "most", of->most);
  for (i = 0; i < of->used; i++) {
    lua_pushinteger(L, (lua_Integer)of->filled[i]);
    lua_rawseti(L, -2, (int)(2 * i + 1));
    lua_pushinteger(L, (lua_Integer)of->counts[of->filled[i]]);
    lua_rawseti(L, -2, (int)(2 * i + 2));
  }
  for (i = 0; i < of->used; i++)
    of->counts[of->filled[i]] = 0;
  of->used = 0;
  of->count = 0;
  of->sum = of->least = of->most = 0;
}

static int take(lua_State *L) {
  struct counter *counter = counter_check(L, 1);
  int i;
  lua_createtable(L, 0, 5);
  set_count(L, "count", counter->count);
  set_count(L, "bytes", counter->bytes);
  set_count(L, "connections", counter->connections);
  set_count(L, "allowed", counter->allowed);
  lua_createtable(L, 0, TIMES_COUNT);
  for (i = 0; i < TIMES_COUNT; i++) {
    push_histogram(L, &counter->parts[i]);
    lua_setfield(L, -2, names[i]);
  }
  lua_setfield(L, -2, "parts");
  counter->count = counter->bytes = counter->connections = 0;
  return 1;
}

static const luaL_Reg methods[] = {{"allow", allow}, {"claim", claim}, {"know", know}, {"take", take}, {NULL, NULL}};

void counter_setup(lua_State *L) {
  class_new(L, COUNTER_CLASS, methods);
  lua_pop(L, 2);
}
