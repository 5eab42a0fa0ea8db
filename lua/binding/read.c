/* beam.read: a function that is given what one read brought. */
#include "binding.h"

#include <string.h>

struct outcome {
  const char *data;
  size_t len;
  int system_error;
};

static void release(void *handle) { beam_read_stop(handle); }
static const char *state(const struct object *object) { return object->handle ? "pending" : "over"; }

static const struct class read_class = {"beam.read", release, state, "over"};

static int push_outcome(lua_State *L, void *event) {
  const struct outcome *outcome = event;
  lua_pushlstring(L, outcome->data, outcome->len);
  if (!outcome->system_error)
    return 1;
  lua_pushstring(L, strerror(outcome->system_error));
  return 2;
}

static void on_done(void *user, const char *data, size_t len, int system_error) {
  struct object *object = user;
  struct context *context = object->context;
  struct outcome outcome = {data, len, system_error};
  if (object->finished)
    return;
  object->handle = NULL; /* libbeam has freed it */
  event_fire(object, ON_EVENT, push_outcome, &outcome);
  object_finish(context->stepping, object, FRAME_LIVE);
}

int read_new(lua_State *L) {
  struct context *context = context_check(L);
  int fd = (int)check_integer(L, ARGUMENT_OPTIONS, 0, 1 << 20);
  struct object *object;
  beam_read *started;
  int code;
  object_arguments(L);
  if (!context)
    return context_closed(L);
  object = object_new(L, context, &read_class, ARGUMENT_LIVE);
  object_keep(L, object, ARGUMENT_LIVE, ON_EVENT, ARGUMENT_FUNCTION);
  code = beam_read_start(context->beam, &started, fd, on_done, object);
  if (code) {
    object_finish(L, object, ARGUMENT_LIVE);
    return result_code(L, code, BEAM_PHASE_NONE, "the descriptor cannot be read: it is not open, or is being read");
  }
  object->handle = started;
  return 1;
}

static int stop(lua_State *L) { return object_finish_method(L, &read_class); }

static const luaL_Reg methods[] = {{"stop", stop}, {NULL, NULL}};

void read_setup(lua_State *L) { object_class(L, &read_class, methods, stop); }
