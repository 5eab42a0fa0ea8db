/* From the policy state to the host's callbacks. While one runs, calls of the host go on in the coroutine that told it.
 */
#include <lauxlib.h>

#include "embed/host.h"

static beam_host *host_of(lua_State *L) { return lua_touserdata(L, lua_upvalueindex(1)); }

static lua_State *enter(beam_host *host, lua_State *L) {
  lua_State *outer = host->running;
  host->running = L;
  host->callbacks++;
  return outer;
}

static void leave(beam_host *host, lua_State *outer) {
  host->callbacks--;
  host->running = outer;
}

/* native.event(type, name, data, flag, err) */
static int tell_event(lua_State *L) {
  static const char *const names[] = {"phase", "open", "message", "emit", "error", "closed", NULL};
  beam_host *host = host_of(L);
  beam_host_event event = {.type = (enum beam_host_event_type)luaL_checkoption(L, 1, NULL, names)};
  beam_host_error error;
  lua_State *outer;
  if (!host->on_event || host->freed)
    return 0;
  event.phase = event.type == BEAM_HOST_PHASE ? lua_tostring(L, 2) : NULL;
  event.name = event.type == BEAM_HOST_EMIT ? lua_tostring(L, 2) : NULL;
  event.data = lua_tolstring(L, 3, &event.len);
  event.binary = event.type == BEAM_HOST_MESSAGE && lua_toboolean(L, 4);
  event.again = event.type == BEAM_HOST_OPEN && lua_toboolean(L, 4);
  if (lua_istable(L, 5)) {
    host_error_read(L, 5, &error);
    event.error = &error;
  }
  outer = enter(host, L);
  host->on_event(host->event_user, host, &event);
  leave(host, outer);
  return 0;
}

/* native.log(level, line) */
static int tell_log(lua_State *L) {
  static const char *const names[] = {"error", "warning", "info", "debug", NULL};
  beam_host *host = host_of(L);
  enum beam_log_level level = (enum beam_log_level)luaL_checkoption(L, 1, NULL, names);
  const char *line = luaL_checkstring(L, 2);
  lua_State *outer = enter(host, L);
  host->log(host->log_user, level, line);
  leave(host, outer);
  return 0;
}

/* native.listens() -> boolean */
static int listens(lua_State *L) {
  lua_pushboolean(L, host_of(L)->on_event != NULL);
  return 1;
}

/* native.ticks(boolean) */
static int ticks(lua_State *L) {
  host_of(L)->ticks = lua_toboolean(L, 1);
  return 0;
}

static void set_function(lua_State *L, beam_host *host, const char *name, lua_CFunction function) {
  lua_pushlightuserdata(L, host);
  lua_pushcclosure(L, function, 1);
  lua_setfield(L, -2, name);
}

void event_push(lua_State *L, beam_host *host) {
  lua_createtable(L, 0, 4);
  set_function(L, host, "event", tell_event);
  set_function(L, host, "listens", listens);
  set_function(L, host, "ticks", ticks);
  if (host->log)
    set_function(L, host, "log", tell_log);
}
