/* beam.request: what a client asked a server, until it is answered or the client leaves. */
#include "binding.h"

static const char *state(const struct object *object) { return object->streaming ? "streaming" : "waiting"; }

/* Nothing to release: a request that is not answered ends with its server. */
const struct class request_class = {"beam.request", NULL, state, "over"};

/* ---- Events ---- */

struct arrival {
  struct object *server;
  beam_request *request;
  const beam_request_view *view;
  struct object *object; /* made by push_request */
};

static void set_string(lua_State *L, const char *name, const char *value) {
  lua_pushstring(L, value);
  lua_setfield(L, -2, name);
}

static void push_view(lua_State *L, const beam_request_view *view) {
  lua_createtable(L, 0, 5);
  set_string(L, "method", view->method);
  set_string(L, "target", view->target);
  push_headers(L, view->headers, view->header_count);
  lua_setfield(L, -2, "headers");
  lua_pushlstring(L, view->body ? view->body : "", view->body ? view->body_len : 0);
  lua_setfield(L, -2, "body");
  lua_pushboolean(L, view->upgrade);
  lua_setfield(L, -2, "upgrade");
}

static int push_request(lua_State *L, void *event) {
  struct arrival *arrival = event;
  struct object *object = object_new(L, arrival->server->context, &request_class, EVENT_LIVE);
  object->server = arrival->server;
  object->handle = arrival->request;
  arrival->object = object;
  beam_request_set_user(arrival->request, object);
  object_keep(L, object, EVENT_LIVE, ON_EVENT, lua_gettop(L));
  push_view(L, arrival->view);
  return 2;
}

/* A function that raised will not answer: the client must not wait for ever. */
static void answer_failure(struct context *context, struct arrival *arrival) {
  struct object *object = arrival->object;
  if (object && object->finished)
    return;
  if (object && object->streaming)
    beam_request_abort(arrival->request, 0);
  else
    beam_request_respond(arrival->request, 500, NULL, 0, NULL, 0);
  if (object)
    object_finish(context->stepping, object, FRAME_LIVE);
}

void request_on_request(void *user, beam_request *request, const beam_request_view *view) {
  struct object *server = user;
  struct arrival arrival = {server, request, view, NULL};
  if (server->finished)
    return;
  if (event_fire(server, ON_EVENT, push_request, &arrival))
    answer_failure(server->context, &arrival);
}

static int push_gone(lua_State *L, void *event) {
  struct object *object = event;
  lua_rawgeti(L, EVENT_LIVE, object->references[ON_EVENT]);
  return 1;
}

void request_on_gone(void *user, beam_request *request) {
  struct object *server = user, *object = beam_request_user(request);
  if (!object || object->finished)
    return;
  object->handle = NULL;
  object->over = 1;
  event_fire(server, ON_GONE, push_gone, object);
  object_finish(server->context->stepping, object, FRAME_LIVE);
}

/* ---- Methods ---- */

/* Argument 1, if its answer has begun (or not), else NULL with the result pushed. */
static struct object *check(lua_State *L, int streaming, int *results) {
  struct object *object = object_check(L, &request_class);
  if (!object) {
    *results = object_over(L, &request_class);
    return NULL;
  }
  if (object->streaming == streaming)
    return object;
  *results = result_code(L, BEAM_EINVALID, BEAM_PHASE_RESPONSE,
                         streaming ? "the streamed answer has not begun: call stream_begin first"
                                   : "the answer has begun already");
  return NULL;
}

static void finish(lua_State *L, struct object *object) {
  object->handle = NULL;
  lua_getuservalue(L, 1);
  object_finish(L, object, lua_gettop(L));
}

static int answered(lua_State *L, int code) {
  return result_code(L, code, BEAM_PHASE_RESPONSE,
                     code == BEAM_EINVALID
                         ? "the answer was refused: the name of a header has a character in it that none "
                           "may have, or its value has a line break or another control character"
                         : "out of memory");
}

static int respond(lua_State *L) {
  int status = (int)check_integer(L, 2, 200, 999), results, code;
  const beam_header *headers = NULL;
  size_t count, len = 0;
  const char *body;
  struct object *object;
  lua_settop(L, 4);
  body = lua_isnil(L, 4) ? NULL : check_bytes(L, 4, &len);
  options_read_headers(L, 3, &headers, &count);
  object = check(L, 0, &results);
  if (!object)
    return results;
  code = beam_request_respond(object->handle, status, headers, count, body, len);
  if (code == 0)
    finish(L, object);
  return answered(L, code);
}

static int stream_begin(lua_State *L) {
  int status = (int)check_integer(L, 2, 200, 999), results, code;
  const beam_header *headers = NULL;
  size_t count;
  struct object *object;
  lua_settop(L, 3);
  options_read_headers(L, 3, &headers, &count);
  object = check(L, 0, &results);
  if (!object)
    return results;
  code = beam_request_stream_begin(object->handle, status, headers, count);
  object->streaming = code == 0;
  return answered(L, code);
}

static int stream_write(lua_State *L) {
  size_t len;
  const char *data = check_bytes(L, 2, &len);
  int results;
  struct object *object = check(L, 1, &results);
  if (!object)
    return results;
  return result_code(L, beam_request_stream_write(object->handle, data, len), BEAM_PHASE_RESPONSE,
                     "the piece could not be sent: the client left, or out of memory");
}

static int stream_end(lua_State *L) {
  int results;
  struct object *object = check(L, 1, &results);
  if (!object)
    return results;
  beam_request_stream_end(object->handle);
  finish(L, object);
  return result_code(L, 0, BEAM_PHASE_RESPONSE, "");
}

static int pending(lua_State *L) {
  struct object *object = object_check(L, &request_class);
  lua_pushinteger(L, object ? (lua_Integer)beam_request_pending(object->handle) : 0);
  return 1;
}

static int abort_request(lua_State *L) {
  struct object *object = object_check(L, &request_class);
  if (!object)
    return object_over(L, &request_class);
  beam_request_abort(object->handle, lua_toboolean(L, 2));
  finish(L, object);
  return 0;
}

static int leave(lua_State *L) {
  struct object *object = object_check(L, &request_class);
  return object ? abort_request(L) : 0;
}

static const luaL_Reg methods[] = {
    {"respond", respond}, {"stream_begin", stream_begin}, {"stream_write", stream_write}, {"stream_end", stream_end},
    {"pending", pending}, {"abort", abort_request},       {"accept", websocket_accept},   {NULL, NULL}};

void request_setup(lua_State *L) { object_class(L, &request_class, methods, leave); }
