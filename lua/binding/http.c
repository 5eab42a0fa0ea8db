/* beam.http: one HTTP exchange. */
#include <limits.h>
#include <string.h>

#include "binding.h"

static void release(void *handle) { beam_http_free(handle); }
static const char *state(const struct object *object) { return object->handle ? "running" : "over"; }

static const struct class http_class = {"beam.http", release, state, "over"};

/* ---- Events ---- */

struct arrival {
  const struct object *object;
  const beam_http_event *event;
};

static void push_times(lua_State *L, const beam_http_times *times) {
  lua_createtable(L, 0, TIMES_COUNT);
#define X(key, part) lua_pushnumber(L, times->part), lua_setfield(L, -2, #part);
  TIMES_MAP(X)
#undef X
}

static void push_answer(lua_State *L, const struct object *object, const beam_http_event *event) {
  int has_body = object->whole && event->status;
  push_response(L, event->status, event->headers, event->header_count,
                has_body ? (event->data ? event->data : "") : NULL, event->len,
                object->by_name ? push_headers_by_name : push_headers);
  if (event->status) {
    push_times(L, event->times);
    lua_setfield(L, -2, "times");
  }
}

static void set_number(lua_State *L, enum event_key key, double value) {
  event_push_key(L, key);
  lua_pushnumber(L, value);
  lua_rawset(L, -3);
}

static void set_times(lua_State *L, const beam_http_times *times) {
  event_push_key(L, KEY_TIMES);
  lua_createtable(L, 0, TIMES_COUNT);
#define X(key, part) set_number(L, KEY_##key, times->part);
  TIMES_MAP(X)
#undef X
  lua_rawset(L, -3);
}

/* As push_answer, of most exchanges: whole, with headers by name, and room for what answer.lua adds. */
static void push_named(lua_State *L, const beam_http_event *event) {
  lua_createtable(L, 0, 8);
  event_push_key(L, KEY_STATUS);
  lua_pushinteger(L, event->status);
  lua_rawset(L, -3);
  event_push_key(L, KEY_HEADERS);
  push_headers_by_name(L, event->headers, event->header_count);
  lua_rawset(L, -3);
  event_push_key(L, KEY_BODY);
  lua_pushlstring(L, event->data ? event->data : "", event->len);
  lua_rawset(L, -3);
  set_times(L, event->times);
}

static void push_failure(lua_State *L, const beam_http_event *event) {
  if (event->error)
    push_error(L, event->error);
  else
    lua_pushnil(L);
}

static int push_done(lua_State *L, const struct object *object, const beam_http_event *event) {
  event_push_name(L, EVENT_DONE);
  push_failure(L, event);
  if (object->by_name && object->whole && event->status)
    push_named(L, event);
  else
    push_answer(L, object, event);
  return 3;
}

static void push_task_id(lua_State *L, const beam_http_event *event) {
  size_t i;
  for (i = 0; i < event->header_count; i++)
    if (!strcmp(event->headers[i].name, "x-task-id")) {
      lua_pushstring(L, event->headers[i].value);
      return;
    }
  lua_pushnil(L);
}

/* Of an exchange that is repeated: what most want of it, without a table. */
static int push_figures(lua_State *L, const beam_http_event *event) {
  event_push_name(L, EVENT_DONE);
  push_failure(L, event);
  lua_pushinteger(L, event->status);
  lua_pushlstring(L, event->data ? event->data : "", event->len);
  push_task_id(L, event);
#define X(key, part) lua_pushnumber(L, event->times->part);
  TIMES_MAP(X)
#undef X
  return 5 + TIMES_COUNT;
}

static int push_event(lua_State *L, void *argument) {
  const struct arrival *arrival = argument;
  const beam_http_event *event = arrival->event;
  switch (event->type) {
  case BEAM_HTTP_HEADERS:
    event_push_name(L, EVENT_HEADERS);
    lua_pushinteger(L, event->status);
    push_headers(L, event->headers, event->header_count);
    return 3;
  case BEAM_HTTP_DATA:
    event_push_name(L, EVENT_DATA);
    lua_pushlstring(L, event->data, event->len);
    return 2;
  case BEAM_HTTP_DRAINED:
    event_push_name(L, EVENT_DRAINED);
    return 1;
  case BEAM_HTTP_DONE:
    return arrival->object->repeats ? push_figures(L, event) : push_done(L, arrival->object, event);
  }
  return 0;
}

static void on_event(void *user, beam_http *http, const beam_http_event *event) {
  struct object *object = user;
  struct arrival arrival = {object, event};
  if (object->finished)
    return;
  if (event->type == BEAM_HTTP_DONE && object->counter && counter_take(object->counter, http, event))
    return;
  object->event = event;
  event_fire(object, ON_EVENT, push_event, &arrival);
  object->event = NULL;
  if (event->type == BEAM_HTTP_DONE && !object->repeats)
    object_finish(object->context->stepping, object, FRAME_LIVE);
}

/* ---- Making one ---- */

struct wish {
  beam_http_options options; /* first: the fields say where in it */
  int repeats;
  int by_name; /* the headers of a whole answer as {name = value} */
};

static const struct field fields[] = {
    {"url", read_text, offsetof(beam_http_options, url), 0, NULL},
    {"method", read_text, offsetof(beam_http_options, method), 0, NULL},
    {"headers", read_headers, offsetof(beam_http_options, headers), offsetof(beam_http_options, header_count), NULL},
    {"auth", read_auth, offsetof(beam_http_options, auth), 0, NULL},
    {"tls", read_table, offsetof(beam_http_options, tls), 0, tls_fields},
    {"proxy", read_text, offsetof(beam_http_options, proxy), 0, NULL},
    {"body", read_bytes, offsetof(beam_http_options, body), offsetof(beam_http_options, body_len), NULL},
    {"upload", read_boolean, offsetof(beam_http_options, upload), 0, NULL},
    {"body_size", read_length, offsetof(beam_http_options, body_size), 0, NULL},
    {"connect_timeout", read_seconds, offsetof(beam_http_options, connect_timeout_ms), 0, NULL},
    {"timeout", read_seconds, offsetof(beam_http_options, timeout_ms), 0, NULL},
    {"max_body", read_size, offsetof(beam_http_options, max_body), 0, NULL},
    {"stream", read_boolean, offsetof(beam_http_options, stream), 0, NULL},
    {"repeats", read_boolean, offsetof(struct wish, repeats), 0, NULL},
    {"by_name", read_boolean, offsetof(struct wish, by_name), 0, NULL},
    {NULL, NULL, 0, 0, NULL}};

static void check_wish(lua_State *L, int argument, const struct wish *wish) {
  luaL_argcheck(L, wish->options.url, argument, "option 'url' is missing");
  luaL_argcheck(L, !wish->repeats || !(wish->options.stream || wish->options.upload), argument,
                "what is streamed or uploaded cannot be repeated");
}

/* Starts it and pushes its object, or nil and an error. */
static int start(lua_State *L, struct context *context, struct wish *wish, struct counter *counter) {
  struct object *object = object_new(L, context, &http_class, ARGUMENT_LIVE);
  beam_error error = {0};
  beam_http *http;
  object_keep(L, object, ARGUMENT_LIVE, ON_EVENT, ARGUMENT_FUNCTION);
  object->whole = !wish->options.stream;
  object->repeats = wish->repeats;
  object->by_name = wish->by_name;
  if (counter) {
    object->counter = counter;
    object_keep(L, object, ARGUMENT_LIVE, KEEPS, ARGUMENT_GONE);
  }
  wish->options.on_event = on_event;
  wish->options.user = object;
  if (beam_http_start(context->beam, &http, &wish->options, &error)) {
    object_finish(L, object, ARGUMENT_LIVE);
    return result_error(L, &error);
  }
  object->handle = http;
  return 1;
}

int http_new(lua_State *L) {
  struct context *context = context_check(L);
  struct wish wish = {0};
  struct counter *counter;
  object_arguments(L);
  counter = lua_isnil(L, ARGUMENT_GONE) ? NULL : counter_check(L, ARGUMENT_GONE);
  options_read(L, ARGUMENT_OPTIONS, fields, &wish);
  check_wish(L, ARGUMENT_OPTIONS, &wish);
  luaL_argcheck(L, !counter || wish.repeats, ARGUMENT_GONE, "a counter is for what repeats");
  return context ? start(L, context, &wish, counter) : context_closed(L);
}

/* ---- The same again, with another body ---- */

#define PLAN_CLASS "beam.http_plan"

/* Its user value keeps what the wish points to. */
int http_plan(lua_State *L) {
  struct wish *wish;
  lua_settop(L, 1);
  wish = lua_newuserdata(L, sizeof *wish);
  memset(wish, 0, sizeof *wish);
  options_read(L, 1, fields, wish);
  lua_setuservalue(L, 2);
  check_wish(L, 1, wish);
  luaL_argcheck(L, !wish->options.body && !wish->options.upload && !wish->repeats, 1,
                "a plan has no body, and is not repeated by itself");
  luaL_getmetatable(L, PLAN_CLASS);
  lua_setmetatable(L, 2);
  return 1;
}

/* send(plan, on_event, body, timeout) */
int http_send(lua_State *L) {
  struct context *context = context_check(L);
  struct wish wish = *(const struct wish *)luaL_checkudata(L, ARGUMENT_OPTIONS, PLAN_CLASS);
  double timeout = check_milliseconds(L, 5);
  wish.options.body = check_bytes(L, ARGUMENT_GONE, &wish.options.body_len);
  luaL_argcheck(L, timeout < UINT_MAX, 5, "seconds up to 4294967 are expected");
  wish.options.timeout_ms = timeout < 1 ? 1 : (unsigned)timeout; /* as read_seconds */
  object_arguments(L);
  return context ? start(L, context, &wish, NULL) : context_closed(L);
}

/* ---- Methods ---- */

static int pause(lua_State *L) {
  struct object *object = object_check(L, &http_class);
  if (!object)
    return object_over(L, &http_class);
  beam_http_pause(object->handle);
  return 0;
}

static int resume(lua_State *L) {
  struct object *object = object_check(L, &http_class);
  if (!object)
    return object_over(L, &http_class);
  beam_http_resume(object->handle);
  return 0;
}

static int write_piece(lua_State *L) {
  struct object *object = object_check(L, &http_class);
  size_t len;
  const char *data = check_bytes(L, 2, &len);
  int code;
  if (!object)
    return object_over(L, &http_class);
  code = beam_http_write(object->handle, data, len);
  return result_code(L, code, BEAM_PHASE_REQUEST,
                     code == BEAM_EINVALID ? "the body is longer than its body_size, or this exchange is no upload"
                                           : "nothing more of the body is wanted: it has ended, or is answered");
}

static int write_end(lua_State *L) {
  struct object *object = object_check(L, &http_class);
  int code;
  if (!object)
    return object_over(L, &http_class);
  code = beam_http_write_end(object->handle);
  return result_code(L, code, BEAM_PHASE_REQUEST,
                     code == BEAM_EINVALID ? "the body is shorter than its body_size, or this exchange is no upload"
                                           : "nothing more of the body is wanted: it is answered");
}

static int pending(lua_State *L) {
  struct object *object = object_check(L, &http_class);
  lua_pushinteger(L, object ? (lua_Integer)beam_http_pending(object->handle) : 0);
  return 1;
}

static int again(lua_State *L) {
  struct object *object = object_check(L, &http_class);
  if (!object)
    return object_over(L, &http_class);
  return result_code(L, beam_http_again(object->handle), BEAM_PHASE_NONE,
                     "it has not ended, or failed: nothing can be sent again");
}

/* The answer as others have it, while it is being told. */
static int answer(lua_State *L) {
  struct object *object = object_check(L, &http_class);
  if (!object || !object->event)
    return 0;
  push_answer(L, object, object->event);
  return 1;
}

static int give_back(lua_State *L) { return object_finish_method(L, &http_class); }

static const luaL_Reg methods[] = {{"pause", pause},         {"resume", resume},   {"write", write_piece},
                                   {"write_end", write_end}, {"pending", pending}, {"free", give_back},
                                   {"again", again},         {"answer", answer},   {NULL, NULL}};

static const luaL_Reg none[] = {{NULL, NULL}};

void http_setup(lua_State *L) {
  object_class(L, &http_class, methods, give_back);
  class_new(L, PLAN_CLASS, none);
  lua_pop(L, 2);
}
