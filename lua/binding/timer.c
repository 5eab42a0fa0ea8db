/* beam.timer: a function that is called once. */
#include "binding.h"

static void release(void *handle) { beam_timer_stop(handle); }
static const char *state(const struct object *object) { return object->handle ? "pending" : "over"; }

static const struct class timer_class = {"beam.timer", release, state, "over"};

static int push_nothing(lua_State *L, void *event) {
  (void)L;
  (void)event;
  return 0;
}

static void on_fire(void *user) {
  struct object *object = user;
  struct context *context = object->context;
  if (object->finished)
    return;
  object->handle = NULL; /* libbeam has freed it */
  event_fire(object, ON_EVENT, push_nothing, NULL);
  object_finish(context->stepping, object, FRAME_LIVE);
}

int timer_new(lua_State *L) {
  struct context *context = context_check(L);
  uint64_t delay = (uint64_t)check_milliseconds(L, ARGUMENT_OPTIONS);
  struct object *object;
  beam_timer *timer;
  int code;
  object_arguments(L);
  if (!context)
    return context_closed(L);
  object = object_new(L, context, &timer_class, ARGUMENT_LIVE);
  object_keep(L, object, ARGUMENT_LIVE, ON_EVENT, ARGUMENT_FUNCTION);
  code = beam_timer_start(context->beam, &timer, delay, on_fire, object);
  if (code) {
    object_finish(L, object, ARGUMENT_LIVE);
    return result_code(L, code, BEAM_PHASE_NONE,
                       code == BEAM_ENO_MEMORY ? "no timer could be started: out of memory" : CONTEXT_FOREIGN);
  }
  object->handle = timer;
  return 1;
}

static int stop(lua_State *L) { return object_finish_method(L, &timer_class); }

static const luaL_Reg methods[] = {{"stop", stop}, {NULL, NULL}};

void timer_setup(lua_State *L) { object_class(L, &timer_class, methods, stop); }
