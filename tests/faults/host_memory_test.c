/* Memory that runs out in a Lua: in a hook of libbeamhost, and in the local Beam that asks itself. Lua collects and
 * tries once more before it gives up, so that two allocations fail each time: the first two, the second and third, … */
#include <lauxlib.h>
#include <lualib.h>

#include "baked/modules.h"
#include "beamhost.h"
#include "client_scenes.h"
#include "test.h"

int luaopen_beam_core(lua_State *L);

/* ---- The local Beam, and who asks it, in one state ---- */

static const char local_beam[] =
    "local beam, app, driver = require 'beam', require 'beam.serve', require 'beam.driver'\n"
    "app.endpoint('double', function(input) return { value = input.value * 2 } end)\n"
    "app.realtime('echo', function(text) return text end)\n"
    "local server = assert(app.listen { pause = 0, token = 'token', log = function() end })\n"
    "local client = beam.client { token = 'token', gateway = server.url }\n"
    "local function ask()\n"
    "  local result, err = client.call('double', { value = 21 }, { retry = false, timeout = 20 })\n"
    "  if not result then return err.kind, tostring(err) end\n"
    "  if result.value ~= 42 then return 'wrong', 'a wrong result' end\n"
    "  local conn\n"
    "  conn, err = client.realtime('echo', { retry = false })\n"
    "  if not conn then return err.kind, tostring(err) end\n"
    "  local sent\n"
    "  sent, err = conn:send { text = 'hello' }\n"
    "  if not sent then return err.kind, tostring(err) end\n"
    "  local message\n"
    "  message, err = conn:receive(20)\n"
    "  conn:close()\n"
    "  if not message then return err and err.kind or 'closed', tostring(err) end\n"
    "  return 'unharmed', ''\n"
    "end\n"
    "return ask, beam\n";

static lua_State *L;

static int open_state(lua_State *state) {
  luaL_openlibs(state);
  modules_setup(state);
  luaL_getsubtable(state, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(state, luaopen_beam_core);
  lua_setfield(state, -2, "beam.core");
  if (luaL_loadstring(state, local_beam))
    return lua_error(state);
  lua_call(state, 0, 1);
  return 1;
}

/* The descriptors of a context are not shared with a child: so it is made in each. */
static void play_local_beam(outcome *to) {
  L = luaL_newstate();
  lua_pushcfunction(L, open_state);
  if (lua_pcall(L, 0, 1, 0)) {
    wrong(to, lua_tostring(L, -1));
    return;
  }
  arm_now();
  if (lua_pcall(L, 0, 2, 0)) {
    const char *text = lua_tostring(L, -1);
    shared->fault.kind = FAULT_NONE;
    snprintf(to->kind, sizeof to->kind, "%s", text && strstr(text, "not enough memory") ? "no_memory" : "raised");
    snprintf(to->message, sizeof to->message, "%s", text ? text : "(no text)");
  } else {
    shared->fault.kind = FAULT_NONE;
    snprintf(to->kind, sizeof to->kind, "%s", lua_tostring(L, -2));
    snprintf(to->message, sizeof to->message, "%s", lua_tostring(L, -1));
  }
  lua_close(L);
}

/* ---- A hook: a message goes through `outgoing`, comes back, is given to `message`, which emits ---- */

static const char script[] = "return {\n"
                             "  outgoing = function(text) return text .. ' ' end,\n"
                             "  message = function(text) beam.emit('heard', { text = tostring(text) }) end,\n"
                             "}\n";

typedef struct told {
  int opened, emitted, failed, closed, code;
  beam_host_error error;
} told;

static void on_host(void *user, beam_host *host, const beam_host_event *event) {
  told *t = user;
  (void)host;
  t->opened += event->type == BEAM_HOST_OPEN;
  t->emitted += event->type == BEAM_HOST_EMIT;
  t->failed += event->type == BEAM_HOST_ERROR;
  t->closed += event->type == BEAM_HOST_CLOSED;
  if (event->error)
    t->error = *event->error;
}

static void quiet(void *user, enum beam_log_level level, const char *line) { (void)user, (void)level, (void)line; }

static void play_hook(outcome *to) {
  char target[64];
  beam_host_options options = {.target = target, .token = "token", .log = quiet};
  beam_host *host;
  told t = {0};
  long long end = scene_now() + SCENE_MS;
  int code;
  snprintf(target, sizeof target, "ws://127.0.0.1:%u/", peer.port);
  if (beam_host_new(&host, &options, &t.error) ||
      beam_host_load_string(host, script, sizeof script - 1, "s.lua", &t.error)) {
    wrong(to, t.error.message);
    return;
  }
  beam_host_on(host, on_host, &t);
  while (!t.opened && !t.closed && scene_now() < end)
    beam_host_step(host, 50);
  if (!t.opened) {
    wrong(to, t.error.message);
    return;
  }
  arm_now();
  code = beam_host_send(host, "hello", 5, &t.error);
  while (!code && !t.emitted && !t.failed && !t.closed && scene_now() < end)
    code = beam_host_step(host, 50);
  shared->fault.kind = FAULT_NONE;
  if (t.closed > 1 || (!code && !t.emitted && !t.failed && !t.closed))
    wrong(to, "the message neither came nor failed");
  ended_with(to, t.emitted && !t.failed ? 0 : code ? code : t.error.code, NULL);
  if (strcmp(t.error.kind, "script") == 0 || strcmp(t.error.kind, "transform") == 0)
    snprintf(to->kind, sizeof to->kind, "%s", strstr(t.error.message, "memory") ? "no_memory" : t.error.kind);
  snprintf(to->message, sizeof to->message, "%.500s", t.error.message);
  beam_host_free(host);
}

/* ---- */

static const scene local_beam_scene = {"the local Beam", play_local_beam, 1, 0};
static const scene hook_scene = {"a hook", play_hook, 1, 0};

static void the_local_beam(void) {
  if (wants(&local_beam_scene))
    CHECK(fail_each(&local_beam_scene, 0, 1));
}

static void a_hook(void) {
  if (wants(&hook_scene)) {
    CHECK(fail_each(&hook_scene, 0, 1));
    CHECK(fail_each(&hook_scene, 1, 5));
  }
}

int main(int count, char **arguments) {
  (void)count;
  begin_faults(arguments);
  peer_start();
  at_once = 2;
  RUN(a_hook);
  if (getenv("FAULT_EVERY")) /* make alloc: it takes its time */
    RUN(the_local_beam);
  peer_stop();
  end_faults();
  return test_end();
}
