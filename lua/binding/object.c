/* What timers, WebSockets, exchanges, servers and requests share: a life that ends once, a userdata that knows, and the
 * functions they call. */
#include <stdio.h>
#include <string.h>

#include "binding.h"

/* ---- The list of a context ---- */

static void list_add(struct object **list, struct object *object) {
  object->next = *list;
  object->link = list;
  if (object->next)
    object->next->link = &object->next;
  *list = object;
}

static void list_remove(struct object *object) {
  *object->link = object->next;
  if (object->next)
    object->next->link = object->link;
}

/* ---- Life ---- */

struct object *object_new(lua_State *L, struct context *context, const struct class *class, int live) {
  struct object *object = lua_newuserdata(L, sizeof *object);
  memset(object, 0, sizeof *object);
  object->class = class;
  object->context = context;
  object->references[ON_EVENT] = object->references[ON_GONE] = object->references[KEEPS] = LUA_NOREF;
  luaL_getmetatable(L, class->name);
  lua_setmetatable(L, -2);
  lua_pushvalue(L, live);
  lua_setuservalue(L, -2);
  lua_pushvalue(L, -1);
  object->references[ITSELF] = luaL_ref(L, live);
  list_add(&context->objects, object);
  return object;
}

void object_keep(lua_State *L, struct object *object, int live, int which, int value) {
  lua_pushvalue(L, value);
  object->references[which] = luaL_ref(L, live);
}

void object_arguments(lua_State *L) {
  luaL_checktype(L, ARGUMENT_FUNCTION, LUA_TFUNCTION);
  lua_settop(L, ARGUMENT_GONE);
  lua_getuservalue(L, ARGUMENT_SELF);
}

void object_finish(lua_State *L, struct object *object, int live) {
  struct context *context = object->context;
  void *handle = object->handle;
  if (object->finished)
    return;
  object->finished = object->over = 1;
  object->handle = NULL;
  luaL_unref(L, live, object->references[ON_EVENT]);
  luaL_unref(L, live, object->references[ON_GONE]);
  luaL_unref(L, live, object->references[KEEPS]);
  arrivals_forget(object);
  object->arrivals = NULL;
  list_remove(object);
  if (handle && object->class->release)
    object->class->release(handle);
  if (context->stepping)
    list_add(&context->finished, object);
  else
    luaL_unref(L, live, object->references[ITSELF]);
}

void object_finish_all(lua_State *L, struct context *context, int live) {
  while (context->objects)
    object_finish(L, context->objects, live);
}

void object_free_finished(lua_State *L, struct context *context, int live) {
  while (context->finished) {
    struct object *object = context->finished;
    list_remove(object);
    luaL_unref(L, live, object->references[ITSELF]);
  }
}

/* ---- Methods ---- */

void *class_check(lua_State *L, int argument, int upvalue, const char *name) {
  void *it = lua_touserdata(L, argument);
  int known = it && lua_getmetatable(L, argument);
  if (known) {
    known = lua_rawequal(L, -1, lua_upvalueindex(upvalue));
    lua_pop(L, 1);
  }
  return known ? it : luaL_checkudata(L, argument, name);
}

struct object *object_check(lua_State *L, const struct class *class) {
  struct object *object = class_check(L, 1, 1, class->name);
  return object->over ? NULL : object;
}

int object_over(lua_State *L, const struct class *class) {
  char text[128];
  snprintf(text, sizeof text, "this %s is over: it ended, was given back, or its context was closed", class->name);
  return result_code(L, BEAM_ECLOSED, BEAM_PHASE_CLOSED, text);
}

int object_finish_method(lua_State *L, const struct class *class) {
  struct object *object = object_check(L, class);
  if (object) {
    lua_getuservalue(L, 1);
    object_finish(L, object, lua_gettop(L));
  }
  return 0;
}

static const struct class *upvalue_class(lua_State *L) { return lua_touserdata(L, lua_upvalueindex(1)); }

static int to_string(lua_State *L) {
  const struct class *class = upvalue_class(L);
  const struct object *object = object_check(L, class);
  lua_pushfstring(L, "%s (%s)", class->name, object ? class->state(object) : class->over);
  return 1;
}

static void set_method(lua_State *L, const char *name, lua_CFunction method, const struct class *class) {
  lua_pushlightuserdata(L, (void *)class);
  lua_pushcclosure(L, method, 1);
  lua_setfield(L, -2, name);
}

void class_methods(lua_State *L, const luaL_Reg *methods) {
  for (; methods->name; methods++) {
    lua_pushcfunction(L, methods->func);
    lua_setfield(L, -2, methods->name);
  }
}

void class_new(lua_State *L, const char *name, const luaL_Reg *methods) {
  luaL_newmetatable(L, name);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  lua_newtable(L);
  for (; methods->name; methods++) {
    lua_pushvalue(L, -2);
    lua_pushcclosure(L, methods->func, 1);
    lua_setfield(L, -2, methods->name);
  }
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "__index");
}

void object_class(lua_State *L, const struct class *class, const luaL_Reg *methods, lua_CFunction close) {
  class_new(L, class->name, methods);
  lua_pop(L, 1);
  set_method(L, "__tostring", to_string, class);
  lua_pushcfunction(L, close);
  lua_setfield(L, -2, "__close");
  lua_pop(L, 1);
}
