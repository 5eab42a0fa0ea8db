/* beam.websocket: one WebSocket, of a client or accepted by a server. */
#include "binding.h"

static void release(void *handle) { beam_ws_free(handle); }
static const char *state(const struct object *object) { return beam_phase_name(beam_ws_phase(object->handle)); }

static const struct class websocket_class = {"beam.websocket", release, state, "closed"};

/* ---- Events ---- */

static int push_message(lua_State *L, const beam_ws_event *event) {
  event_push_name(L, EVENT_MESSAGE);
  lua_pushlstring(L, event->data, event->len);
  lua_pushboolean(L, event->binary);
  return 3;
}

static int push_fragment(lua_State *L, const beam_ws_event *event) {
  event_push_name(L, EVENT_FRAGMENT);
  lua_pushlstring(L, event->data, event->len);
  lua_pushboolean(L, event->binary);
  lua_pushboolean(L, event->first);
  lua_pushboolean(L, event->final);
  return 5;
}

static int push_control(lua_State *L, enum event_name name, const beam_ws_event *event) {
  event_push_name(L, name);
  lua_pushlstring(L, event->data, event->len);
  return 2;
}

static int push_open(lua_State *L, const beam_ws_event *event) {
  event_push_name(L, EVENT_OPEN);
  lua_pushinteger(L, event->status);
  push_headers(L, event->headers, event->header_count);
  return 3;
}

static int push_closed(lua_State *L, const beam_ws_event *event) {
  event_push_name(L, EVENT_CLOSED);
  lua_pushinteger(L, event->code);
  lua_pushstring(L, event->reason ? event->reason : "");
  if (event->error)
    push_error(L, event->error);
  else
    lua_pushnil(L);
  if (event->status)
    push_response(L, event->status, event->headers, event->header_count, event->data ? event->data : "", event->len,
                  push_headers);
  else
    lua_pushnil(L);
  return 5;
}

struct arrival {
  const struct object *object;
  const beam_ws_event *event;
};

static int push_event(lua_State *L, void *argument) {
  const struct arrival *arrival = argument;
  const beam_ws_event *event = arrival->event;
  switch (event->type) {
  case BEAM_WS_MESSAGE:
    return arrival->object->whole ? push_message(L, event) : push_fragment(L, event);
  case BEAM_WS_PHASE:
    event_push_name(L, EVENT_PHASE);
    lua_pushstring(L, beam_phase_name(event->phase));
    return 2;
  case BEAM_WS_OPEN:
    return push_open(L, event);
  case BEAM_WS_PING:
    return push_control(L, EVENT_PING, event);
  case BEAM_WS_PONG:
    return push_control(L, EVENT_PONG, event);
  case BEAM_WS_DRAINED:
    event_push_name(L, EVENT_DRAINED);
    return 1;
  case BEAM_WS_CLOSED:
    return push_closed(L, event);
  }
  return 0;
}

static void on_event(void *user, beam_ws *ws, const beam_ws_event *event) {
  struct object *object = user;
  struct arrival arrival = {object, event};
  (void)ws;
  if (object->finished)
    return;
  if (event->type == BEAM_WS_MESSAGE) {
    object->heard = beam_now(object->context->beam);
    if (arrivals_keep(object, event))
      return;
  }
  arrivals_tell(object);
  event_fire(object, ON_EVENT, push_event, &arrival);
  if (event->type == BEAM_WS_CLOSED)
    object_finish(object->context->stepping, object, FRAME_LIVE);
}

/* ---- Making one ---- */

/* Only noted: websocket_object keeps it. */
static void read_arrivals(struct reader *reader, const struct field *field, void *to) {
  (void)reader, (void)field, (void)to;
}

static const struct field client_fields[] = {
    {"arrivals", read_arrivals, 0, 0, NULL},
    {"url", read_text, offsetof(beam_ws_options, url), 0, NULL},
    {"headers", read_headers, offsetof(beam_ws_options, headers), offsetof(beam_ws_options, header_count), NULL},
    {"auth", read_auth, offsetof(beam_ws_options, auth), 0, NULL},
    {"tls", read_table, offsetof(beam_ws_options, tls), 0, tls_fields},
    {"proxy", read_text, offsetof(beam_ws_options, proxy), 0, NULL},
    {"connect_timeout", read_seconds, offsetof(beam_ws_options, connect_timeout_ms), 0, NULL},
    {"upgrade_timeout", read_seconds, offsetof(beam_ws_options, upgrade_timeout_ms), 0, NULL},
    {"close_timeout", read_seconds, offsetof(beam_ws_options, close_timeout_ms), 0, NULL},
    {"silence_timeout", read_seconds, offsetof(beam_ws_options, silence_timeout_ms), 0, NULL},
    {"max_message", read_size, offsetof(beam_ws_options, max_message), 0, NULL},
    {"fragments", read_boolean, offsetof(beam_ws_options, fragments), 0, NULL},
    {NULL, NULL, 0, 0, NULL}};

static const struct field server_fields[] = {
    {"headers", read_headers, offsetof(beam_ws_options, headers), offsetof(beam_ws_options, header_count), NULL},
    {"close_timeout", read_seconds, offsetof(beam_ws_options, close_timeout_ms), 0, NULL},
    {"max_message", read_size, offsetof(beam_ws_options, max_message), 0, NULL},
    {"fragments", read_boolean, offsetof(beam_ws_options, fragments), 0, NULL},
    {NULL, NULL, 0, 0, NULL}};

static struct object *websocket_object(lua_State *L, struct context *context, beam_ws_options *options) {
  struct object *object = object_new(L, context, &websocket_class, ARGUMENT_LIVE);
  object_keep(L, object, ARGUMENT_LIVE, ON_EVENT, ARGUMENT_FUNCTION);
  object->whole = !options->fragments;
  options->on_event = on_event;
  options->user = object;
  return object;
}

static void keep_arrivals(lua_State *L, struct object *object) {
  lua_getfield(L, ARGUMENT_OPTIONS, "arrivals");
  if (!lua_isnil(L, -1)) {
    struct arrivals *arrivals = arrivals_check(L, lua_gettop(L));
    object_keep(L, object, ARGUMENT_LIVE, KEEPS, lua_gettop(L));
    object->arrivals = arrivals;
  }
  lua_pop(L, 1);
}

int websocket_new(lua_State *L) {
  struct context *context = context_check(L);
  beam_ws_options options = {0};
  struct object *object;
  beam_error error = {0};
  beam_ws *ws;
  object_arguments(L);
  options_read(L, ARGUMENT_OPTIONS, client_fields, &options);
  luaL_argcheck(L, options.url, ARGUMENT_OPTIONS, "option 'url' is missing");
  if (!context)
    return context_closed(L);
  object = websocket_object(L, context, &options);
  keep_arrivals(L, object);
  if (beam_ws_open(context->beam, &ws, &options, &error)) {
    object_finish(L, object, ARGUMENT_LIVE);
    return result_error(L, &error);
  }
  object->handle = ws;
  return 1;
}

int websocket_accept(lua_State *L) {
  struct object *request = object_check(L, &request_class);
  beam_ws_options options = {0};
  struct object *object;
  beam_ws *ws;
  int code;
  object_arguments(L);
  options_read(L, ARGUMENT_OPTIONS, server_fields, &options);
  if (!request)
    return object_over(L, &request_class);
  object = websocket_object(L, request->context, &options);
  code = beam_request_accept(request->handle, &ws, &options);
  if (code) {
    object_finish(L, object, ARGUMENT_LIVE);
    return result_code(
        L, code, BEAM_PHASE_UPGRADE,
        "the request cannot be accepted: it asks for no WebSocket, or a header has a name or a value that "
        "none may have");
  }
  object->handle = ws;
  request->handle = NULL;
  object_finish(L, request, ARGUMENT_LIVE);
  return 1;
}

/* ---- Methods ---- */

static int sent(lua_State *L, const struct object *object, int code, const char *invalid) {
  return result_code(L, code, beam_ws_phase(object->handle),
                     code == BEAM_EINVALID ? invalid : "the WebSocket is not open");
}

/* send(data, limit): false and what waits for the network, where it would be more than `limit` bytes with this. */
static int has_room(lua_State *L, const struct object *object, size_t len) {
  size_t pending = beam_ws_pending(object->handle);
  if (!pending || lua_isnoneornil(L, 3) || (lua_Number)(pending + len) <= luaL_checknumber(L, 3))
    return 1;
  lua_pushboolean(L, 0);
  lua_pushinteger(L, (lua_Integer)pending);
  return 0;
}

static int send_text(lua_State *L) {
  struct object *object = object_check(L, &websocket_class);
  size_t len;
  const char *data = check_bytes(L, 2, &len);
  if (!object)
    return object_over(L, &websocket_class);
  if (!has_room(L, object, len))
    return 2;
  return sent(L, object, beam_ws_send_text(object->handle, data, len),
              "the text is not UTF-8: send it with send_binary, or encode it");
}

static int send_binary(lua_State *L) {
  struct object *object = object_check(L, &websocket_class);
  size_t len;
  const char *data = check_bytes(L, 2, &len);
  if (!object)
    return object_over(L, &websocket_class);
  if (!has_room(L, object, len))
    return 2;
  return sent(L, object, beam_ws_send_binary(object->handle, data, len), "the message cannot be sent");
}

static int ping(lua_State *L) {
  struct object *object = object_check(L, &websocket_class);
  size_t len = 0;
  const char *data = lua_isnoneornil(L, 2) ? "" : check_bytes(L, 2, &len);
  if (!object)
    return object_over(L, &websocket_class);
  return sent(L, object, beam_ws_ping(object->handle, data, len), "a ping holds at most 125 bytes");
}

static int close_websocket(lua_State *L) {
  struct object *object = object_check(L, &websocket_class);
  int code = lua_isnoneornil(L, 2) ? 0 : (int)check_integer(L, 2, 0, 65535);
  const char *reason = lua_isnoneornil(L, 3) ? NULL : check_text(L, 3);
  if (!object)
    return object_over(L, &websocket_class);
  return sent(L, object, beam_ws_close(object->handle, code, reason),
              "the close code must be 1000, 1001, 1003, 1007 to 1014 or 3000 to 4999, the reason UTF-8 of at most 123 "
              "bytes and only beside a code");
}

static int abort_websocket(lua_State *L) {
  struct object *object = object_check(L, &websocket_class);
  if (!object)
    return object_over(L, &websocket_class);
  beam_ws_abort(object->handle, lua_toboolean(L, 2));
  return 0;
}

static int pause(lua_State *L) {
  struct object *object = object_check(L, &websocket_class);
  if (!object)
    return object_over(L, &websocket_class);
  beam_ws_pause(object->handle);
  return 0;
}

static int resume(lua_State *L) {
  struct object *object = object_check(L, &websocket_class);
  if (!object)
    return object_over(L, &websocket_class);
  beam_ws_resume(object->handle);
  return 0;
}

static int pending(lua_State *L) {
  struct object *object = object_check(L, &websocket_class);
  lua_pushinteger(L, object ? (lua_Integer)beam_ws_pending(object->handle) : 0);
  return 1;
}

/* -> received, sent, unacknowledged, unfinished: bytes; unanswered: seconds; and seconds since the last message, if one
 * came */
static int progress(lua_State *L) {
  struct object *object = object_check(L, &websocket_class);
  beam_progress bytes = {0};
  if (object)
    beam_ws_progress(object->handle, &bytes);
  lua_pushinteger(L, (lua_Integer)bytes.received);
  lua_pushinteger(L, (lua_Integer)bytes.sent);
  lua_pushinteger(L, (lua_Integer)bytes.unacknowledged);
  lua_pushinteger(L, (lua_Integer)bytes.unfinished);
  lua_pushnumber(L, bytes.unanswered_ms / 1000.0);
  if (!object || !object->heard)
    return 5;
  lua_pushnumber(L, (lua_Number)(beam_now(object->context->beam) - object->heard) / 1000.0);
  return 6;
}

static int phase(lua_State *L) {
  struct object *object = object_check(L, &websocket_class);
  lua_pushstring(L, object ? state(object) : websocket_class.over);
  return 1;
}

/* What comes from now on does not go to the arrivals. */
static int detach(lua_State *L) {
  struct object *object = object_check(L, &websocket_class);
  if (!object)
    return 0;
  arrivals_forget(object);
  object->arrivals = NULL;
  return 0;
}

static int give_back(lua_State *L) { return object_finish_method(L, &websocket_class); }

static const luaL_Reg methods[] = {{"send", send_text},
                                   {"send_binary", send_binary},
                                   {"ping", ping},
                                   {"close", close_websocket},
                                   {"abort", abort_websocket},
                                   {"pause", pause},
                                   {"resume", resume},
                                   {"pending", pending},
                                   {"progress", progress},
                                   {"phase", phase},
                                   {"detach", detach},
                                   {"free", give_back},
                                   {NULL, NULL}};

void websocket_setup(lua_State *L) { object_class(L, &websocket_class, methods, give_back); }
