/* What timers, WebSockets, exchanges, servers and requests share: a life that ends once, a userdata that knows, and the
 * functions they call. */
#include <stdio.h>
#include <stdlib.h>

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
  struct object **userdata = lua_newuserdata(L, sizeof *userdata), *object;
  *userdata = NULL;
  luaL_getmetatable(L, class->name);
  lua_setmetatable(L, -2);
  lua_pushvalue(L, live);
  lua_setuservalue(L, -2);
  object = calloc(1, sizeof *object);
  if (!object) {
    luaL_error(L, "not enough memory");
    return NULL;
  }
  object->class = class;
  object->context = context;
  object->userdata = userdata;
  object->references[ON_EVENT] = object->references[ON_GONE] = LUA_NOREF;
  list_add(&context->objects, object);
  *userdata = object;
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
  int which;
  if (object->finished)
    return;
  object->finished = 1;
  object->handle = NULL;
  if (object->userdata)
    *object->userdata = NULL;
  for (which = 0; which < REFERENCES; which++)
    luaL_unref(L, live, object->references[which]);
  list_remove(object);
  if (handle && object->class->release)
    object->class->release(handle);
  if (context->stepping)
    list_add(&context->finished, object);
  else
    free(object);
}

void object_finish_all(lua_State *L, struct context *context, int live) {
  while (context->objects)
    object_finish(L, context->objects, live);
}

void object_free_finished(struct context *context) {
  while (context->finished) {
    struct object *object = context->finished;
    list_remove(object);
    free(object);
  }
}

/* ---- Methods ---- */

struct object *object_check(lua_State *L, const struct class *class) {
  struct object **userdata = luaL_checkudata(L, 1, class->name);
  return *userdata;
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

/* Only the userdata goes: what it stood for lives on until it ends or its context is closed. */
static int collect(lua_State *L) {
  struct object **userdata = luaL_checkudata(L, 1, upvalue_class(L)->name);
  if (*userdata)
    (*userdata)->userdata = NULL;
  *userdata = NULL;
  return 0;
}

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
  class_methods(L, methods);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "__index");
}

void object_class(lua_State *L, const struct class *class, const luaL_Reg *methods, lua_CFunction close) {
  class_new(L, class->name, methods);
  lua_pop(L, 1);
  set_method(L, "__gc", collect, class);
  set_method(L, "__tostring", to_string, class);
  lua_pushcfunction(L, close);
  lua_setfield(L, -2, "__close");
  lua_pop(L, 1);
}
