/* The calls of beamhost.h. Each is a C function that runs protected in the policy state, so that nothing that Lua
 * raises reaches the program, a lack of memory included. */
#include <lauxlib.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "embed/host.h"

enum { STACK_NEEDED = 16 };

/* One call of a method of embed.lua's object. */
struct call {
  beam_host *host;
  const char *method; /* NULL: the one at `reference` of the registry */
  int reference;
  int (*push)(lua_State *L, const struct call *call);  /* the arguments; returns how many. NULL: none */
  void (*take)(lua_State *L, const struct call *call); /* the result, on top. NULL: only whether there is one matters */
  const char *text, *name;
  size_t len;
  int number, flag;
  void *result;
  beam_host_error *error;
};

/* ---- Calling into the policy state ---- */

/* Protected: (call) -> code */
static int perform(lua_State *L) {
  const struct call *call = lua_touserdata(L, 1);
  int count = 1;
  if (call->method) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, call->host->object);
    lua_getfield(L, -1, call->method);
    lua_insert(L, -2);
  } else {
    lua_rawgeti(L, LUA_REGISTRYINDEX, call->reference);
    lua_rawgeti(L, LUA_REGISTRYINDEX, call->host->object);
  }
  if (call->push)
    count += call->push(L, call);
  lua_call(L, count, 2);
  if (!lua_toboolean(L, -2) && !lua_isnil(L, -1)) {
    lua_pushinteger(L, host_error_read(L, -1, call->error));
    return 1;
  }
  lua_pop(L, 1);
  if (call->take)
    call->take(L, call);
  lua_pushinteger(L, 0);
  return 1;
}

static int fail(lua_State *L, int status, beam_host_error *error) {
  if (status == LUA_ERRMEM)
    return host_error_set(error, BEAM_ENO_MEMORY, "out of memory");
  return host_error_read(L, -1, error);
}

/* What is open ends first, while all that belongs to it is still there. */
static void destroy(beam_host *host) {
  struct call call = {.host = host, .method = "free"};
  lua_pushcfunction(host->L, perform);
  lua_pushlightuserdata(host->L, &call);
  if (host->object)
    lua_pcall(host->L, 1, 0, 0);
  lua_close(host->L);
  free(host);
}

static int run(struct call *call) {
  beam_host *host = call->host;
  lua_State *L = host->running;
  int code, status;
  if (host->freed)
    return host_error_set(call->error, BEAM_ECLOSED, "this host is freed");
  if (!lua_checkstack(L, STACK_NEEDED))
    return host_error_set(call->error, BEAM_ENO_MEMORY, "out of memory, or callbacks too deep in one another");
  host->calls++;
  lua_pushcfunction(L, perform);
  lua_pushlightuserdata(L, call);
  status = lua_pcall(L, 1, 1, 0);
  code = status == LUA_OK ? (int)lua_tointeger(L, -1) : fail(L, status, call->error);
  lua_pop(L, 1);
  if (!--host->calls && host->freed)
    destroy(host);
  return code;
}

/* What may not be called inside a callback. */
static int run_outside(struct call *call, const char *function) {
  char message[96] = "inside a callback this cannot be called: ";
  if (!call->host->callbacks)
    return run(call);
  return host_error_set(call->error, BEAM_EINVALID, strncat(message, function, sizeof message - strlen(message) - 1));
}

/* ---- Life ---- */

static beam_host *new_host(const beam_host_options *options) {
  beam_host *host = calloc(1, sizeof *host);
  if (!host)
    return NULL;
  host->L = host->running = luaL_newstate();
  host->fd = -1;
  host->log = options->log;
  host->log_user = options->user;
  if (!host->L) {
    free(host);
    return NULL;
  }
  return host;
}

static int open_host(beam_host *host, const beam_host_options *options, beam_host_error *error) {
  lua_State *L = host->L;
  int status, code = 0;
  lua_pushcfunction(L, state_open);
  lua_pushlightuserdata(L, host);
  lua_pushlightuserdata(L, (void *)options);
  status = lua_pcall(L, 2, LUA_MULTRET, 0);
  if (status != LUA_OK)
    code = fail(L, status, error);
  else if (!lua_toboolean(L, 1))
    code = host_error_read(L, -1, error);
  lua_settop(L, 0);
  if (!code)
    beam_host_fd(host); /* none: then each step looks for itself */
  return code;
}

int beam_host_new(beam_host **host, const beam_host_options *options, beam_host_error *error) {
  static const beam_host_options defaults;
  int code;
  if (!options)
    options = &defaults;
  *host = new_host(options);
  if (!*host)
    return host_error_set(error, BEAM_ENO_MEMORY, "out of memory");
  code = open_host(*host, options, error);
  if (code) {
    destroy(*host);
    *host = NULL;
  }
  return code;
}

void beam_host_on(beam_host *host, beam_host_callback *callback, void *user) {
  host->on_event = callback;
  host->event_user = user;
}

void beam_host_free(beam_host *host) {
  if (!host || host->freed)
    return;
  host->on_event = NULL;
  host->freed = 1;
  if (!host->calls)
    destroy(host);
}

/* ---- Loading ---- */

static int push_file(lua_State *L, const struct call *call) {
  lua_pushstring(L, call->name); /* nil for NULL */
  lua_pushboolean(L, call->flag);
  return 2;
}

/* "@chat.lua" is what Lua calls a file of that name. */
static int push_script(lua_State *L, const struct call *call) {
  lua_pushlstring(L, call->text, call->len);
  lua_pushfstring(L, "@%s", call->name ? call->name : "script");
  lua_pushboolean(L, call->flag);
  return 3;
}

static int load_file(beam_host *host, const char *path, int again, const char *function, beam_host_error *error) {
  struct call call = {
      .host = host, .method = "load_file", .push = push_file, .name = path, .flag = again, .error = error};
  return run_outside(&call, function);
}

static int load_string(beam_host *host, const char *text, size_t len, const char *name, int again, const char *function,
                       beam_host_error *error) {
  struct call call = {.host = host,
                      .method = "load",
                      .push = push_script,
                      .text = text,
                      .len = len,
                      .name = name,
                      .flag = again,
                      .error = error};
  return run_outside(&call, function);
}

int beam_host_load_file(beam_host *host, const char *path, beam_host_error *error) {
  return load_file(host, path, 0, "beam_host_load_file", error);
}

int beam_host_load_string(beam_host *host, const char *text, size_t len, const char *name, beam_host_error *error) {
  return load_string(host, text, len, name, 0, "beam_host_load_string", error);
}

int beam_host_reload_file(beam_host *host, const char *path, beam_host_error *error) {
  return load_file(host, path, 1, "beam_host_reload_file", error);
}

int beam_host_reload_string(beam_host *host, const char *text, size_t len, const char *name, beam_host_error *error) {
  return load_string(host, text, len, name, 1, "beam_host_reload_string", error);
}

static int push_close(lua_State *L, const struct call *call) {
  if (call->number)
    lua_pushinteger(L, call->number);
  else
    lua_pushnil(L);
  lua_pushstring(L, call->text);
  return 2;
}

int beam_host_close(beam_host *host, int code, const char *reason) {
  struct call call = {.host = host, .method = "close", .push = push_close, .number = code, .text = reason};
  return run(&call);
}

/* ---- Running ---- */

static int push_timeout(lua_State *L, const struct call *call) {
  lua_pushnumber(L, call->number < 0 ? -1 : call->number / 1e3);
  return 1;
}

/* In most frames of a game nothing came: the descriptor says so at a fraction of what the policy state takes to find
 * out. */
static int has_nothing_to_do(beam_host *host) {
  struct pollfd poll_fd = {.fd = host->fd, .events = POLLIN};
  return host->fd >= 0 && poll(&poll_fd, 1, 0) == 0;
}

int beam_host_step(beam_host *host, int timeout_ms) {
  struct call call = {.host = host, .reference = host->step, .push = push_timeout, .number = timeout_ms};
  if (timeout_ms == 0 && !host->callbacks && has_nothing_to_do(host)) {
    if (!host->ticks)
      return 0;
    call.reference = host->tick;
  }
  return run_outside(&call, "beam_host_step");
}

static void take_fd(lua_State *L, const struct call *call) {
  *(int *)call->result = call->host->fd = (int)lua_tointeger(L, -1);
}

/* A callback of the log may free the host in between. */
int beam_host_fd(beam_host *host) {
  int fd = host->fd;
  struct call call = {.host = host, .method = "fd", .take = take_fd, .result = &fd};
  int code = fd >= 0 ? 0 : run(&call);
  return code ? code : fd;
}

/* ---- Talking ---- */

static int push_text(lua_State *L, const struct call *call) {
  lua_pushlstring(L, call->text, call->len);
  return 1;
}

int beam_host_send(beam_host *host, const char *text, size_t len, beam_host_error *error) {
  struct call call = {.host = host, .method = "send", .push = push_text, .text = text, .len = len, .error = error};
  return run(&call);
}

int beam_host_send_binary(beam_host *host, const void *data, size_t len, beam_host_error *error) {
  struct call call = {
      .host = host, .method = "send_binary", .push = push_text, .text = data, .len = len, .error = error};
  return run(&call);
}

static int push_call(lua_State *L, const struct call *call) {
  lua_pushstring(L, call->name);
  if (!call->text)
    return 1;
  lua_pushlstring(L, call->text, call->len);
  return 2;
}

/* The text stays in the registry until the next one; a host that was freed meanwhile takes it along. */
static void take_result(lua_State *L, const struct call *call) {
  beam_host_result *result = call->result;
  if (!result || call->host->freed)
    return;
  result->data = lua_tolstring(L, -1, &result->len);
  lua_pushvalue(L, -1);
  lua_rawseti(L, LUA_REGISTRYINDEX, call->host->result);
}

int beam_host_call(beam_host *host, const char *function, const char *json, size_t len, beam_host_result *result,
                   beam_host_error *error) {
  struct call call = {.host = host,
                      .reference = host->call,
                      .push = push_call,
                      .take = take_result,
                      .name = function,
                      .text = json,
                      .len = len,
                      .result = result,
                      .error = error};
  if (result)
    *result = (beam_host_result){NULL, 0};
  return run(&call);
}

static void take_flag(lua_State *L, const struct call *call) { *(int *)call->result = lua_toboolean(L, -1); }

int beam_host_has(beam_host *host, const char *function) {
  int has = 0;
  struct call call = {
      .host = host, .reference = host->has, .push = push_call, .name = function, .take = take_flag, .result = &has};
  run(&call);
  return has;
}

/* ---- Figures ---- */

static uint64_t figure(lua_State *L, const char *name) {
  uint64_t value;
  lua_getfield(L, -1, name);
  value = (uint64_t)lua_tointeger(L, -1);
  lua_pop(L, 1);
  return value;
}

static const char *state_name(lua_State *L) {
  static const char *const names[] = {"none", "connecting", "open", "waiting", "closing", "closed"};
  const char *name;
  size_t i = 0;
  lua_getfield(L, -1, "state");
  name = lua_tostring(L, -1);
  while (i < sizeof names / sizeof *names - 1 && name && strcmp(names[i], name) != 0)
    i++;
  lua_pop(L, 1);
  return names[i];
}

static void take_figures(lua_State *L, const struct call *call) {
  beam_host_figures *figures = call->result;
  figures->state = state_name(L);
  figures->attempts = figure(L, "attempts");
  figures->reconnects = figure(L, "reconnects");
  figures->sent = figure(L, "sent");
  figures->received = figure(L, "received");
  figures->queued = figure(L, "queued");
  figures->unknown = figure(L, "unknown");
  figures->reloads = figure(L, "reloads");
  figures->failures = figure(L, "failures");
  figures->memory = (size_t)figure(L, "memory");
  figures->peak = (size_t)figure(L, "peak");
}

int beam_host_stats(beam_host *host, beam_host_figures *figures) {
  struct call call = {.host = host, .method = "stats", .take = take_figures, .result = figures};
  memset(figures, 0, sizeof *figures);
  figures->state = "none";
  return run(&call);
}
