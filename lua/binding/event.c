/* From an event of libbeam to a Lua function.
 *
 * libbeam dispatches from beam_step only, so the coroutine that called ctx:step is running: functions are called on its
 * stack, never on one that is dead or has yielded, and cannot yield across C. Between libbeam and Lua stands one
 * lua_pcall; what may allocate or raise happens behind it. What stands before it (pushes of values that exist) does not
 * allocate in any Lua, so that no error, out of memory included, unwinds libbeam.
 */
#include "binding.h"

struct call {
  event_push *push;
  void *event;
};

/* dispatch(call, live, function); its upvalues are the event names and keys, so that these are never hashed again. */
static int dispatch(lua_State *L) {
  struct call *call = lua_touserdata(L, 1);
  lua_call(L, call->push(L, call->event), 0);
  return 0;
}

void event_push_name(lua_State *L, enum event_name name) { lua_pushvalue(L, lua_upvalueindex((int)name + 1)); }

void event_push_key(lua_State *L, enum event_key key) {
  lua_pushvalue(L, lua_upvalueindex(EVENT_COUNT + (int)key + 1));
}

/* The error is on top of the stack. The first is raised by ctx:step; the others are for the log, unless it is the log
 * function that fails: that would feed itself. */
static void keep_failure(struct context *context, int loggable) {
  lua_State *L = context->stepping;
  if (lua_isnil(L, FRAME_FAILURE)) {
    if (lua_isnil(L, -1)) { /* error(nil): must not pass for none */
      lua_pop(L, 1);
      lua_pushboolean(L, 0);
    }
    lua_replace(L, FRAME_FAILURE);
    return;
  }
  if (loggable)
    log_keep(context, BEAM_LOG_ERROR,
             lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "an event function raised what is no string");
  lua_pop(L, 1);
}

int event_call(struct context *context, int function, event_push *push, void *event) {
  lua_State *L = context->stepping;
  struct call call = {push, event};
  context->events = context->called = 1;
  lua_pushvalue(L, FRAME_DISPATCH);
  lua_pushlightuserdata(L, &call);
  lua_pushvalue(L, FRAME_LIVE);
  lua_rawgeti(L, FRAME_LIVE, function);
  if (lua_pcall(L, 3, 0, FRAME_TRACEBACK) == 0)
    return 0;
  keep_failure(context, function != context->log);
  return -1;
}

int event_fire(struct object *object, int which, event_push *push, void *event) {
  if (object->context->lines)
    log_flush(object->context);
  if (object->finished || object->references[which] == LUA_NOREF)
    return 0;
  return event_call(object->context, object->references[which], push, event);
}

void event_enter(lua_State *L, struct context *context) {
  lua_settop(L, FRAME_TIMEOUT);
  lua_getuservalue(L, FRAME_CONTEXT);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushvalue(L, lua_upvalueindex(2));
  /* LuaJIT may allocate for the first address in each 4 GiB that it is given: here for those of the stack,
   * event_call's. */
  lua_pushlightuserdata(L, &L);
  lua_pop(L, 1);
  lua_pushnil(L);
  context->stepping = L;
}

void event_leave(lua_State *L, struct context *context) {
  context->stepping = NULL;
  lua_settop(L, FRAME_FAILURE);
}

void event_method(lua_State *L, const char *name, lua_CFunction method) {
  luaL_checkstack(L, EVENT_COUNT + KEY_COUNT + 3, "events");
  compat_push_traceback(L);
#define X(id, text) lua_pushliteral(L, text);
  EVENT_MAP(X)
  EVENT_KEYS(X)
#undef X
  lua_pushcclosure(L, dispatch, EVENT_COUNT + KEY_COUNT);
  lua_pushvalue(L, -4);
  lua_pushcclosure(L, method, EVENT_METATABLE);
  lua_setfield(L, -2, name);
}
