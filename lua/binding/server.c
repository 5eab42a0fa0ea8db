/* beam.server: listens, and hands requests on. */
#include "binding.h"
#include "internal.h"

enum { PEM_SIZE = 4096 };

static void release(void *handle) { beam_server_close(handle); }
static const char *state(const struct object *object) { return object->handle ? "listening" : "closed"; }

static const struct class server_class = {"beam.server", release, state, "closed"};

static const struct field fields[] = {
    {"host", read_text, offsetof(beam_server_options, host), 0, NULL},
    {"port", read_port, offsetof(beam_server_options, port), 0, NULL},
    {"tls", read_table, offsetof(beam_server_options, tls), 0, tls_fields},
    {"max_body", read_size, offsetof(beam_server_options, max_body), 0, NULL},
    {"max_head", read_size, offsetof(beam_server_options, max_head), 0, NULL},
    {"max_connections", read_size, offsetof(beam_server_options, max_connections), 0, NULL},
    {"head_timeout", read_seconds, offsetof(beam_server_options, head_timeout_ms), 0, NULL},
    {"body_timeout", read_seconds, offsetof(beam_server_options, body_timeout_ms), 0, NULL},
    {"idle_timeout", read_seconds, offsetof(beam_server_options, idle_timeout_ms), 0, NULL},
    {NULL, NULL, 0, 0, NULL}};

int server_new(lua_State *L) {
  struct context *context = context_check(L);
  beam_server_options options = {0};
  struct object *object;
  beam_error error = {0};
  beam_server *server;
  object_arguments(L);
  options_read(L, ARGUMENT_OPTIONS, fields, &options);
  if (!lua_isnil(L, ARGUMENT_GONE))
    luaL_checktype(L, ARGUMENT_GONE, LUA_TFUNCTION);
  if (!context)
    return context_closed(L);
  object = object_new(L, context, &server_class, ARGUMENT_LIVE);
  object_keep(L, object, ARGUMENT_LIVE, ON_EVENT, ARGUMENT_FUNCTION);
  if (!lua_isnil(L, ARGUMENT_GONE))
    object_keep(L, object, ARGUMENT_LIVE, ON_GONE, ARGUMENT_GONE);
  options.on_request = request_on_request;
  options.on_gone = request_on_gone;
  options.user = object;
  if (beam_server_listen(context->beam, &server, &options, &error)) {
    object_finish(L, object, ARGUMENT_LIVE);
    return result_error(L, &error);
  }
  object->handle = server;
  return 1;
}

static int port(lua_State *L) {
  struct object *object = object_check(L, &server_class);
  if (!object)
    return object_over(L, &server_class);
  lua_pushinteger(L, (lua_Integer)beam_server_port(object->handle));
  return 1;
}

/* libbeam aborts its unanswered requests without a word: they are over too. */
static int close_server(lua_State *L) {
  struct object *server = object_check(L, &server_class), *object, *next;
  if (!server)
    return 0;
  lua_settop(L, 1);
  lua_getuservalue(L, 1);
  for (object = server->context->objects; object; object = next) {
    next = object->next;
    if (object->server == server)
      object_finish(L, object, 2);
  }
  object_finish(L, server, 2);
  return 0;
}

static const luaL_Reg methods[] = {{"port", port}, {"close", close_server}, {NULL, NULL}};

/* localhost_certificate(): the certificate and its key, as PEM. */
int server_certificate(lua_State *L) {
  char certificate[PEM_SIZE], key[PEM_SIZE];
  if (beam_server_certificate(certificate, key, PEM_SIZE))
    return luaL_error(L, "localhost_certificate: OpenSSL refused");
  lua_pushstring(L, certificate);
  lua_pushstring(L, key);
  beam__wipe(key, sizeof key);
  return 2;
}

void server_setup(lua_State *L) { object_class(L, &server_class, methods, close_server); }
