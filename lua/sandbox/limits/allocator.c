/* lua_Alloc: the memory limit, and a look at the clock, as some of Lua's functions do nothing but allocate for long. */
#include <stdlib.h>
#include <string.h>

#include "sandbox/limits/collector.h"
#include "sandbox/limits/collisions.h"
#include "sandbox/versions.h"

enum { CLOCK_BYTES = 1 << 18 };

static int is_refused(const struct limits *limits, const void *block, size_t old_size, size_t size) {
  return limits->refused.size == size && limits->refused.block == block && limits->refused.old_size == old_size;
}

/* Lua collects all garbage after a first refusal and asks once more (lmem.c, tryagain); a second one is the end of it.
 */
static void *refuse(struct limits *limits, const void *block, size_t old_size, size_t size) {
  if (is_refused(limits, block, old_size, size)) {
    limits->refused.size = 0;
    if (limits->calls && !limits->stopped) {
      limits->stopped = LIMIT_MEMORY;
      limits->credit = -1;
      if (limits->running)
        trace_note(&limits->trace, limits->running);
    }
    return NULL;
  }
  limits->refused.block = block;
  limits->refused.old_size = old_size;
  limits->refused.size = size;
  collector_unweaken(limits);
  return NULL;
}

static void look_at_clock(struct limits *limits) {
  limits->since_clock = 0;
  if (!limits->calls || !limits->nanoseconds || limits_now() <= limits->deadline)
    return;
  lua_sethook(limits->running, limits_hook, LUA_MASKCOUNT, 1);
  limits_break_if_late(limits);
}

static void *allocate(void *user, void *block, size_t old_size, size_t size) {
  struct limits *limits = user;
  unsigned level = limits->memory.level;
  void *result;
  if (!size) {
    memory_release(&limits->memory, block, old_size);
    return NULL;
  }
  if (block && size <= old_size) { /* may not fail */
    result = memory_resize(&limits->memory, block, old_size, size);
    return result ? result : block;
  }
  if ((limits->since_clock += size) > CLOCK_BYTES)
    look_at_clock(limits);
  if (limits->bytes && memory_after(&limits->memory, block, old_size, size) > limits->bytes)
    return refuse(limits, block, old_size, size);
  result = memory_resize(&limits->memory, block, old_size, size);
  if (!result)
    return refuse(limits, block, old_size, size);
  if (is_refused(limits, block, old_size, size)) /* there was garbage enough */
    limits->refused.size = 0;
  if (!block && !old_size)
    collisions_look(limits, size);
  if (limits->memory.level > level)
    limits_look_soon(limits);
  return result;
}

/* An error outside of any protected call: call.c leaves no way to it. */
static int panic(lua_State *L) {
  struct limits *limits = limits_of(L);
  if (limits->escape)
    limits_break(limits);
  return 0;
}

lua_State *limits_new_state(struct limits *limits) {
  lua_State *L;
  memory_init(&limits->memory);
  L = versions_new_state(allocate, limits);
  if (!L)
    return NULL;
  *(void **)lua_getextraspace(L) = limits;
  lua_atpanic(L, panic);
  return L;
}

void limits_free(struct limits *limits, lua_State *main) {
  if (limits->broken)
    memory_release_all(&limits->memory);
  else
    lua_close(main);
}
