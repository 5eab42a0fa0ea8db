/* libbeamhost against the local Beam: life, events, hooks that fail, limits, takeovers, calls from callbacks. */
#include <math.h>
#include <pthread.h>

#include "host_fixture.h"

static struct notes notes;

/* ---- Life ---- */

static int new_fails(beam_host_options options, const char *part) {
  beam_host *host;
  beam_host_error error;
  int code = beam_host_new(&host, &options, &error);
  CHECK(!host);
  CHECK_INT(error.code, code);
  CHECK_CONTAINS(error.message, part);
  return code;
}

static void mistakes_in_options_are_told(void) {
  const char *allow[] = {"os.getenw", NULL};
  CHECK_INT(new_fails((beam_host_options){.allow = allow},
                      "option 'allow': 'os.getenw' cannot be granted; did you mean 'os.getenv'?"),
            BEAM_EINVALID);
  CHECK_INT(new_fails((beam_host_options){.memory = 1000}, "'memory'"), BEAM_EINVALID);
  CHECK_INT(new_fails((beam_host_options){.seconds = (double)NAN}, "'seconds'"), BEAM_EINVALID);
  CHECK_INT(new_fails((beam_host_options){.tick = -1}, "'tick'"), BEAM_EINVALID);
  CHECK_INT(new_fails((beam_host_options){.tick = 1e300}, "'tick'"), BEAM_EINVALID);
  CHECK_INT(new_fails((beam_host_options){.config = "{"}, "option 'config' is no JSON"), BEAM_EINVALID);
  CHECK_INT(new_fails((beam_host_options){.target = "a/b/c"}, "'a/b/c' is no target"), BEAM_EINVALID);
}

static void script_that_does_not_load_starts_nothing(void) {
  beam_host *host = new_host(&notes, "echo");
  beam_host_error error;
  beam_host_figures figures;
  CHECK_INT(load(host, "return {\n  open = function(\n}", &error), BEAM_HOST_ESCRIPT);
  CHECK_STR(error.kind, "script");
  CHECK_STR(error.hook, "load");
  CHECK_STR(error.file, "test.lua");
  CHECK_INT(error.line, 3);
  CHECK_INT(load(host, "return { mesage = function() end }", &error), BEAM_HOST_ESCRIPT);
  CHECK_CONTAINS(error.message, "did you mean 'message'?");
  CHECK_INT(beam_host_load_file(host, "/nowhere.lua", &error), BEAM_HOST_EFILE);
  CHECK_STR(error.file, "/nowhere.lua");
  CHECK_INT(reload(host, "return {}", &error), BEAM_EINVALID);
  CHECK_INT(send_text(host, "{}"), BEAM_ECLOSED);
  CHECK_INT(beam_host_close(host, 1000, NULL), BEAM_ECLOSED);
  CHECK_INT(beam_host_stats(host, &figures), 0);
  CHECK_STR(figures.state, "none");
  CHECK_INT(load(host, "return {}", &error), 0);
  CHECK_INT(load(host, "return {}", &error), BEAM_EINVALID);
  CHECK_CONTAINS(error.message, "reload it");
  beam_host_free(host);
}

static const char talkative[] = "local seen = 0\n"
                                "return {\n"
                                "  open = function() beam.emit('open', beam.config()) end,\n"
                                "  message = function(m, kind) seen = seen + 1 beam.emit('got', kind) end,\n"
                                "  close = function(err) beam.emit('close', err.code) end,\n"
                                "  add = function(v) return v.a + v.b end,\n"
                                "  bad = function() error 'oh' end,\n"
                                "  secret = function() return print end,\n"
                                "}";

static void events_come_in_order(void) {
  beam_host_options options = {.target = "echo", .token = "token", .gateway = gateway, .config = "{\"level\":[]}"};
  beam_host_figures figures;
  beam_host *host;
  memset(&notes, 0, sizeof notes);
  REQUIRE(!beam_host_new(&host, &options, NULL));
  beam_host_on(host, on_event, &notes);
  CHECK_INT(load(host, talkative, NULL), 0);
  CHECK(echoes(host, &notes, "{\"x\":1}"));
  CHECK(echoes(host, &notes, "plain text"));
  CHECK_INT(beam_host_send_binary(host, "\0\1\2", 3, NULL), 0);
  CHECK(wait_for(host, &notes, BEAM_HOST_MESSAGE, 3));
  CHECK(echoes(host, &notes, "[]"));
  CHECK_INT(beam_host_stats(host, &figures), 0);
  CHECK_STR(figures.state, "open");
  CHECK_INT(figures.sent, 4);
  CHECK(figures.memory > 0 && figures.peak >= figures.memory);
  CHECK_INT(beam_host_close(host, 1000, "enough"), 0);
  CHECK(wait_for(host, &notes, BEAM_HOST_CLOSED, 1));
  CHECK_CONTAINS(notes.text, "phase queued\nphase open\nopen\nemit open {\"level\":[]}\n");
  CHECK_CONTAINS(notes.text, "emit got \"json\"\nmessage {\"x\":1}\nemit got \"text\"\nmessage plain text\n");
  CHECK_CONTAINS(notes.text, "phase closed\nemit close 1000\nclosed 1000\n");
  CHECK_INT(beam_host_stats(host, &figures), 0);
  CHECK_STR(figures.state, "closed");
  CHECK_INT(figures.failures, 0);
  CHECK_INT(send_text(host, "{}"), BEAM_ECLOSED);
  beam_host_free(host);
}

static void functions_of_the_script_are_called(void) {
  beam_host *host = new_host(&notes, "echo");
  beam_host_result result;
  beam_host_error error;
  CHECK_INT(beam_host_call(host, "add", NULL, 0, &result, &error), BEAM_EINVALID);
  CHECK_INT(load(host, talkative, NULL), 0);
  CHECK_INT(beam_host_call(host, "add", "{\"a\":1,\"b\":2}", 13, &result, &error), 0);
  CHECK_STR(result.data, "3");
  CHECK_INT(beam_host_call(host, "open", NULL, 0, &result, &error), 0);
  CHECK_STR(result.data, "null");
  CHECK_INT(beam_host_call(host, "bad", NULL, 0, NULL, &error), BEAM_HOST_ESCRIPT);
  CHECK_STR(error.hook, "bad");
  CHECK_INT(error.line, 7);
  CHECK_INT(beam_host_call(host, "secret", NULL, 0, NULL, &error), BEAM_HOST_ESCRIPT);
  CHECK_CONTAINS(error.message, "function");
  CHECK_INT(beam_host_call(host, "add", "{", 1, NULL, &error), BEAM_HOST_EJSON);
  CHECK_INT(beam_host_call(host, "nothing", NULL, 0, NULL, &error), BEAM_EINVALID);
  CHECK_CONTAINS(error.message, "no function 'nothing'");
  CHECK(beam_host_has(host, "add") && !beam_host_has(host, "nothing"));
  beam_host_free(host);
}

/* ---- Hooks that fail ---- */

static const char failing[] = "local function fail() error 'broken' end\n"
                              "local t = { connect = fail, retry = fail, open = fail, close = fail, tick = fail }\n"
                              "function t.message(m) if m.fail == 'message' then error 'in message' end end\n"
                              "function t.incoming(m)\n"
                              "  if m.fail == 'incoming' then error 'in incoming' end\n"
                              "  return m end\n"
                              "function t.outgoing(m)\n"
                              "  if m.fail == 'outgoing' then error 'in outgoing' end\n"
                              "  return m end\n"
                              "return t";

static void failing_hooks_leave_the_connection_alone(void) {
  beam_host *host = new_host(&notes, "echo");
  beam_host_error error;
  const char *bad = "{\"fail\":\"outgoing\"}";
  CHECK_INT(load(host, failing, NULL), 0);
  CHECK(echoes(host, &notes, "{\"x\":1}"));
  CHECK_CONTAINS(notes.text, "error connect \n");
  CHECK_CONTAINS(notes.text, "error open \n");
  CHECK_CONTAINS(notes.text, "error tick \n");
  CHECK_INT(beam_host_send(host, bad, strlen(bad), &error), BEAM_HOST_ETRANSFORM);
  CHECK_STR(error.hook, "outgoing");
  CHECK_STR(error.file, "test.lua");
  CHECK_INT(error.line, 8);
  CHECK_INT(send_text(host, "{\"fail\":\"incoming\"}"), 0);
  CHECK(echoes(host, &notes, "{\"x\":2}"));
  CHECK_CONTAINS(notes.text, "error incoming {\"fail\":\"incoming\"}\n");
  CHECK(echoes(host, &notes, "{\"fail\":\"message\"}"));
  CHECK_CONTAINS(notes.text, "error message {\"fail\":\"message\"}\nmessage {\"fail\":\"message\"}\n");
  CHECK(echoes(host, &notes, "{\"x\":3}"));
  beam_host_close(host, 1000, NULL);
  CHECK(wait_for(host, &notes, BEAM_HOST_CLOSED, 1));
  CHECK_CONTAINS(notes.text, "error close \nclosed 1000\n");
  beam_host_free(host);
}

static void hooks_over_their_budget_are_stopped(void) {
  beam_host_options options = {
      .target = "echo", .token = "token", .gateway = gateway, .memory = 1 << 20, .seconds = 60};
  beam_host *host;
  memset(&notes, 0, sizeof notes);
  REQUIRE(!beam_host_new(&host, &options, NULL));
  beam_host_on(host, on_event, &notes);
  CHECK_INT(load(host,
                 "return { message = function(m)\n"
                 "  if m.loop then while true do end end\n"
                 "  local t = {} while m.eat do t[#t + 1] = ('x'):rep(#t) end end }",
                 NULL),
            0);
  CHECK(echoes(host, &notes, "{\"loop\":true}"));
  CHECK_STR(notes.error.limit, "instructions");
  CHECK_INT(notes.error.line, 2);
  CHECK(echoes(host, &notes, "{\"eat\":true}"));
  CHECK_STR(notes.error.limit, "memory");
  CHECK(echoes(host, &notes, "{\"x\":1}"));
  CHECK_INT(notes.counts[BEAM_HOST_ERROR], 2);
  beam_host_free(host);
}

static long logged_bytes;

static void on_log(void *user, enum beam_log_level level, const char *line) {
  (void)user;
  (void)level;
  logged_bytes += (long)strlen(line) + 1;
}

static void file_that_is_too_large_is_closed(void) {
  const char *allow[] = {"loadfile", NULL};
  beam_host_options options = {.target = "echo", .token = "", .gateway = gateway, .memory = 1 << 20, .allow = allow};
  char path[] = "/tmp/host_test_XXXXXX", text[256];
  int file = mkstemp(path), before, after;
  beam_host_error error;
  beam_host *host;
  CHECK_INT(ftruncate(file, 4 << 20), 0);
  close(file);
  REQUIRE(!beam_host_new(&host, &options, NULL));
  snprintf(text, sizeof text, "return { read = function() loadfile '%s' end }", path);
  CHECK_INT(load(host, text, NULL), 0);
  close(before = dup(STDIN_FILENO));
  CHECK_INT(beam_host_call(host, "read", NULL, 0, NULL, &error), BEAM_HOST_ESCRIPT);
  CHECK_STR(error.limit, "memory");
  close(after = dup(STDIN_FILENO));
  CHECK_INT(after, before);
  beam_host_free(host);
  unlink(path);
}

static void long_texts_for_the_log_are_cut(void) {
  beam_host_options options = {.target = "echo", .token = "token", .gateway = gateway, .log = on_log};
  beam_host *host;
  logged_bytes = 0;
  REQUIRE(!beam_host_new(&host, &options, NULL));
  CHECK_INT(load(host, "return { log = function() beam.log(('x\\n'):rep(1000000)) end }", NULL), 0);
  CHECK_INT(beam_host_call(host, "log", NULL, 0, NULL, NULL), 0);
  CHECK(logged_bytes > 16000 && logged_bytes < 17000);
  beam_host_free(host);
}

static void retry_decides(void) {
  beam_host *host = new_host(&notes, "ws://127.0.0.1:1");
  CHECK_INT(load(host,
                 "return { retry = function(attempt, err)\n"
                 "  beam.emit('retry', { attempt, err.kind })\n"
                 "  if attempt == 1 then return 0.01 elseif attempt == 2 then error 'x' end return nil end }",
                 NULL),
            0);
  CHECK(wait_for(host, &notes, BEAM_HOST_CLOSED, 1));
  CHECK_CONTAINS(notes.text, "emit retry [1,\"connect\"]");
  CHECK_CONTAINS(notes.text, "emit retry [2,\"connect\"]\nerror retry \n");
  CHECK_CONTAINS(notes.text, "emit retry [3,\"connect\"]");
  CHECK_INT(notes.error.code, BEAM_ECONNECT);
  beam_host_free(host);
}

/* ---- The hook connect, and the token ---- */

static const char *connecting(const char *answer) {
  static char text[512];
  snprintf(text, sizeof text, "return { connect = function() return %s end, retry = function() end }", answer);
  return text;
}

static void connect_names_the_target(void) {
  beam_host *host = new_host(&notes, NULL);
  CHECK_INT(load(host, connecting("'echo'"), NULL), 0);
  CHECK(echoes(host, &notes, "{\"x\":1}"));
  beam_host_free(host);
}

static void no_target_at_all(void) {
  beam_host *host = new_host(&notes, NULL);
  CHECK_INT(load(host, "return { retry = function() end }", NULL), 0);
  CHECK(wait_for(host, &notes, BEAM_HOST_CLOSED, 1));
  CHECK_CONTAINS(notes.error.message, "no target");
  CHECK_INT(notes.error.code, BEAM_ECONNECT);
  beam_host_free(host);
}

static void answers_that_make_no_sense_are_told(void) {
  static const struct {
    const char *answer, *part;
  } cases[] = {{"42", "it returned a number"},
               {"{ tls = { insecure = true } }", "hook 'connect': what connect returned: unknown option 'tls'"},
               {"{ max_message = -1 }", "option 'max_message' wants a whole number of bytes"},
               {"{ url = {} }", "hook 'connect': beam: a target's url is a string, not a table"},
               {"'a/b/c'", "is no target"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    beam_host *host = new_host(&notes, "echo");
    CHECK_INT(load(host, connecting(cases[i].answer), NULL), 0);
    CHECK(wait_for(host, &notes, BEAM_HOST_OPEN, 1));
    CHECK_STR(notes.error.hook, "connect");
    CHECK_CONTAINS(notes.error.message, cases[i].part);
    beam_host_free(host);
  }
}

static void token_goes_to_its_gateway_alone(void) {
  static const char *const answers[] = {"'ws://localhost:%d/asgi/echo'", "{ { 'ws://localhost:%d/asgi/echo' } }",
                                        "{ { { url = 'ws://localhost:%d/asgi/echo', public = false } } }"};
  char url[160];
  beam_host *host = new_host(&notes, "echo");
  for (int i = 0; i < 3; i++) {
    snprintf(url, sizeof url, answers[i], port); /* another authority */
    CHECK_INT((i ? reload : load)(host, connecting(url), NULL), 0);
    CHECK(wait_for(host, &notes, BEAM_HOST_CLOSED, i + 1));
    CHECK_INT(notes.error.status, 401);
  }
  snprintf(url, sizeof url, "{ url = 'ws://localhost:%d/asgi/echo', token = 'token' }", port);
  CHECK_INT(reload(host, connecting(url), NULL), 0); /* begins anew */
  CHECK(wait_for(host, &notes, BEAM_HOST_OPEN, 1));
  beam_host_free(host);
}

/* ---- Coming back ---- */

static void open_says_what_is_sent_again(void) {
  beam_host_options options = {.target = "echo", .token = "token", .gateway = flaky_gateway};
  beam_host *host;
  memset(&notes, 0, sizeof notes);
  REQUIRE(!beam_host_new(&host, &options, NULL));
  beam_host_on(host, on_event, &notes);
  CHECK_INT(load(host,
                 "return { retry = function() return 0.01 end, open = function(unknown)\n"
                 "  if not unknown then for i = 1, 3 do beam.send { number = i } end end\n"
                 "  return unknown and true end }",
                 NULL),
            0);
  CHECK(wait_for(host, &notes, BEAM_HOST_OPEN, 2));
  while (!strstr(notes.text, "message {\"number\":3}") &&
         wait_for(host, &notes, BEAM_HOST_MESSAGE, notes.counts[BEAM_HOST_MESSAGE] + 1))
    ;
  CHECK_CONTAINS(notes.text, "phase waiting\n");
  CHECK_CONTAINS(notes.text, "open again\n");
  CHECK_CONTAINS(notes.text, "message {\"number\":3}\n");
  beam_host_free(host);
}

/* ---- Takeovers ---- */

static void the_next_script_takes_over(void) {
  beam_host *host = new_host(&notes, "echo");
  beam_host_error error;
  beam_host_result result;
  beam_host_figures figures;
  const char *first = "local n = 0 return { message = function() n = n + 1 end, save = function() return n end,\n"
                      "  version = function() return 1 end }";
  CHECK_INT(load(host, first, NULL), 0);
  CHECK(echoes(host, &notes, "{\"x\":1}"));
  CHECK_INT(reload(host, "return 1 +", &error), BEAM_HOST_ESCRIPT);
  CHECK_STR(error.file, "next.lua");
  CHECK_INT(reload(host, "return { restore = function(n)\n error 'no' end }", &error), BEAM_HOST_ESCRIPT);
  CHECK_STR(error.hook, "restore");
  CHECK_INT(error.line, 2);
  CHECK_INT(reload(host, "while true do end", &error), BEAM_HOST_ESCRIPT);
  CHECK_STR(error.limit, "instructions");
  CHECK_INT(reload(host, "assert(beam.send {}) return {}", &error), BEAM_HOST_ESCRIPT);
  CHECK_CONTAINS(error.message, "this script is still being loaded");
  CHECK_INT(beam_host_call(host, "version", NULL, 0, &result, NULL), 0);
  CHECK_STR(result.data, "1");
  CHECK_INT(reload(host, "local n return { restore = function(s) n = s end, count = function() return n end }", NULL),
            0);
  CHECK_INT(beam_host_call(host, "count", NULL, 0, &result, NULL), 0);
  CHECK_STR(result.data, "1");
  CHECK(!beam_host_has(host, "version"));
  CHECK(echoes(host, &notes, "{\"x\":2}"));
  CHECK_INT(beam_host_stats(host, &figures), 0);
  CHECK_INT(figures.reloads, 1);
  CHECK_INT(figures.attempts, 1);
  CHECK_INT(notes.counts[BEAM_HOST_PHASE], 5); /* dns tcp queued open ready: one connection */
  beam_host_free(host);
}

static void a_save_that_fails_holds_nothing_up(void) {
  beam_host *host = new_host(&notes, "echo");
  CHECK_INT(load(host, "return { save = function() error 'no' end }", NULL), 0);
  CHECK_INT(reload(host, "return { restore = function() error 'is not called' end }", NULL), 0);
  CHECK_STR(notes.text, "error save \n");
  beam_host_free(host);
}

static void save_is_of_the_script_that_is_in_charge(void) {
  beam_host *host = new_host(&notes, "echo");
  beam_host_result result;
  CHECK_INT(load(host, "return { save = function() return { beam.send 'a last word' } end }", NULL), 0);
  CHECK_INT(reload(host, "local n return { restore = function(s) n = s end, sent = function() return n end }", NULL),
            0);
  CHECK_INT(beam_host_call(host, "sent", NULL, 0, &result, NULL), 0);
  CHECK_STR(result.data, "[true]");
  CHECK(wait_for(host, &notes, BEAM_HOST_MESSAGE, 1));
  CHECK_STR(notes.message, "a last word");
  beam_host_free(host);
}

static void a_file_is_read_again(void) {
  char path[] = "/tmp/host_test_XXXXXX";
  beam_host_result result;
  beam_host *host = new_host(&notes, "echo");
  FILE *file = fdopen(mkstemp(path), "w");
  fputs("#!/usr/bin/env beamlua\nreturn { version = function() return 1 end }", file);
  fflush(file);
  CHECK_INT(beam_host_load_file(host, path, NULL), 0);
  rewind(file);
  fputs("#!/usr/bin/env beamlua\nreturn { version = function() return 2 end }", file);
  fclose(file);
  CHECK_INT(beam_host_reload_file(host, NULL, NULL), 0);
  CHECK_INT(beam_host_call(host, "version", NULL, 0, &result, NULL), 0);
  CHECK_STR(result.data, "2");
  unlink(path);
  beam_host_free(host);
}

/* ---- Callbacks, threads, the descriptor ---- */

static int codes[4];

static void call_from_inside(struct notes *from, beam_host *host, const beam_host_event *event) {
  beam_host_result result;
  if (event->type != BEAM_HOST_MESSAGE || from->counts[BEAM_HOST_MESSAGE] > 1)
    return;
  codes[0] = beam_host_step(host, 0);
  codes[1] = reload(host, "return {}", NULL);
  codes[2] = send_text(host, "{\"from\":\"inside\"}");
  codes[3] = beam_host_call(host, "add", "{\"a\":1,\"b\":2}", 13, &result, NULL);
}

static void calls_from_callbacks(void) {
  beam_host *host = new_host(&notes, "echo");
  notes.more = call_from_inside;
  CHECK_INT(load(host, talkative, NULL), 0);
  send_text(host, "{}");
  CHECK(wait_for(host, &notes, BEAM_HOST_MESSAGE, 2));
  CHECK_STR(notes.message, "{\"from\":\"inside\"}");
  CHECK_INT(codes[0], BEAM_EINVALID);
  CHECK_INT(codes[1], BEAM_EINVALID);
  CHECK_INT(codes[2], 0);
  CHECK_INT(codes[3], 0);
  beam_host_free(host);
}

static void free_from_inside(struct notes *from, beam_host *host, const beam_host_event *event) {
  beam_host_result result;
  if (event->type == BEAM_HOST_EMIT) { /* a hook of the script is on the stack, too */
    CHECK_INT(beam_host_call(host, "add", "{\"a\":1,\"b\":2}", 13, &result, NULL), 0);
    beam_host_free(host);
    CHECK_INT(send_text(host, "{}"), BEAM_ECLOSED);
    from->user = from;
  }
}

static void a_host_is_freed_in_its_callback(void) {
  beam_host *host = new_host(&notes, "echo");
  notes.more = free_from_inside;
  CHECK_INT(load(host, talkative, NULL), 0);
  while (!notes.user)
    beam_host_step(host, 100);
  CHECK_INT(notes.counts[BEAM_HOST_EMIT], 1);
}

static void free_at_once(struct notes *from, beam_host *host, const beam_host_event *event) {
  (void)from;
  if (event->type == BEAM_HOST_EMIT)
    beam_host_free(host);
}

static void a_freed_host_leaves_no_result(void) {
  beam_host *host = new_host(&notes, "echo");
  beam_host_result result = {"", 1};
  notes.more = free_at_once;
  CHECK_INT(load(host, "return { ask = function() beam.emit('asked') return 1 end }", NULL), 0);
  CHECK_INT(beam_host_call(host, "ask", NULL, 0, &result, NULL), 0);
  CHECK(!result.data);
  CHECK_INT(result.len, 0);
}

static void the_descriptor_tells_of_everything(void) {
  beam_host *host = new_host(&notes, "echo");
  struct pollfd poll_fd = {.fd = beam_host_fd(host), .events = POLLIN};
  CHECK(poll_fd.fd >= 0);
  CHECK_INT(load(host, "return { open = function() beam.send {} end }", NULL), 0);
  while (!notes.counts[BEAM_HOST_MESSAGE] && CHECK(poll(&poll_fd, 1, PATIENCE_SECONDS * 1000) == 1))
    beam_host_step(host, 0);
  beam_host_free(host);
}

static void ticks_come_with_steps_or_with_time(void) {
  beam_host_options options = {.target = "echo", .token = "token", .gateway = gateway, .tick = 0.01};
  const char *ticking = "local born = beam.now()\n"
                        "return { tick = function(s) beam.emit('tick', s >= 0 and s <= beam.now() - born) end }";
  beam_host *host = new_host(&notes, "echo");
  CHECK_INT(load(host, ticking, NULL), 0);
  for (int i = 0; i < 5; i++)
    beam_host_step(host, 0);
  CHECK_INT(notes.counts[BEAM_HOST_EMIT], 5);
  CHECK_INT(reload(host, "return {}", NULL), 0);
  CHECK_INT(reload(host, ticking, NULL), 0);
  beam_host_step(host, 0);
  CHECK_INT(notes.counts[BEAM_HOST_EMIT], 6);
  CHECK(!strstr(notes.text, "emit tick false"));
  beam_host_free(host);
  memset(&notes, 0, sizeof notes);
  REQUIRE(!beam_host_new(&host, &options, NULL));
  beam_host_on(host, on_event, &notes);
  CHECK_INT(load(host, ticking, NULL), 0);
  CHECK(wait_for(host, &notes, BEAM_HOST_EMIT, 3));
  beam_host_free(host);
}

static void a_step_ends_when_its_time_is_over(void) {
  enum { NUMBERS = 300 };
  beam_host_options options = {.target = "numbers", .token = "token", .gateway = gateway, .step_seconds = 0.001};
  beam_host *host;
  int most = 0, before;
  memset(&notes, 0, sizeof notes);
  REQUIRE(!beam_host_new(&host, &options, NULL));
  beam_host_on(host, on_event, &notes);
  CHECK_INT(
      load(host, "return { message = function() local t = beam.now() while beam.now() < t + 0.0003 do end end }", NULL),
      0);
  CHECK(wait_for(host, &notes, BEAM_HOST_OPEN, 1));
  CHECK_INT(send_text(host, "300"), 0);
  for (time_t end = time(NULL) + PATIENCE_SECONDS; notes.counts[BEAM_HOST_MESSAGE] < NUMBERS && time(NULL) < end;) {
    before = notes.counts[BEAM_HOST_MESSAGE];
    beam_host_step(host, 0);
    most = notes.counts[BEAM_HOST_MESSAGE] - before > most ? notes.counts[BEAM_HOST_MESSAGE] - before : most;
  }
  CHECK_INT(notes.counts[BEAM_HOST_MESSAGE], NUMBERS);
  CHECK(most > 0 && most < 20);
  beam_host_free(host);
}

static void messages_that_cannot_be_told_are_errors(void) {
  beam_host *host = new_host(&notes, "echo");
  CHECK_INT(load(host, "return { incoming = function(m) if m.bad then return { x = 0 / 0 } end return m end }", NULL),
            0);
  CHECK_INT(send_text(host, "{\"bad\":true}"), 0);
  CHECK(echoes(host, &notes, "{\"x\":1}"));
  CHECK_INT(notes.counts[BEAM_HOST_ERROR], 1);
  CHECK_INT(notes.error.code, BEAM_HOST_EJSON);
  CHECK_STR(notes.error.hook, "incoming");
  beam_host_free(host);
}

static char log_lines[512];

static void keep_log(void *user, enum beam_log_level level, const char *line) {
  (void)user;
  snprintf(log_lines + strlen(log_lines), sizeof log_lines - strlen(log_lines), "%d %s\n", (int)level, line);
}

static void what_nobody_listens_to_is_logged(void) {
  beam_host_options options = {.target = "echo", .token = "token", .gateway = gateway, .log = keep_log};
  beam_host *host;
  REQUIRE(!beam_host_new(&host, &options, NULL));
  CHECK_INT(load(host,
                 "print('two\\nlines', 1) beam.log('careful', 'warning')\nreturn { tick = function() error 'oh' end }",
                 NULL),
            0);
  beam_host_step(host, 0);
  CHECK_STR(log_lines, "2 two\n2 lines\\t1\n1 careful\n0 hook 'tick', test.lua:2: oh\n");
  beam_host_free(host);
}

static void what_a_script_raises_is_its_own(void) {
  beam_host_options options = {.target = "echo", .token = "token", .gateway = gateway, .log = keep_log};
  beam_host *host;
  beam_host_error error;
  REQUIRE(!beam_host_new(&host, &options, NULL));
  log_lines[0] = '\0';
  CHECK_INT(load(host,
                 "return { pay = function() error { hook = 'card', message = 'refused', line = 7 } end,\n"
                 "  tick = function() error { hook = 7, message = { 'refused' } } end }",
                 NULL),
            0);
  CHECK_INT(beam_host_call(host, "pay", NULL, 0, NULL, &error), BEAM_HOST_ESCRIPT);
  CHECK_STR(error.hook, "pay");
  CHECK_STR(error.file, "test.lua");
  CHECK_INT(error.line, 1);
  CHECK_STR(error.message, "function 'pay', test.lua:1: refused");
  CHECK_INT(beam_host_step(host, 0), 0);
  CHECK_STR(log_lines, "0 hook 'tick', test.lua:2: it raised a table without a message\n");
  beam_host_free(host);
}

static void *talk_for_itself(void *result) {
  struct notes *own = calloc(1, sizeof *own);
  beam_host *host = new_host(own, "echo");
  int ok = load(host, talkative, NULL) == 0;
  for (int i = 0; i < 20; i++)
    ok = ok && echoes(host, own, "{\"x\":1}");
  beam_host_free(host);
  free(own);
  *(int *)result = ok;
  return NULL;
}

static void hosts_in_threads_of_their_own(void) {
  pthread_t threads[3];
  int ok[3] = {0};
  for (int i = 0; i < 3; i++)
    REQUIRE(!pthread_create(&threads[i], NULL, talk_for_itself, &ok[i]));
  for (int i = 0; i < 3; i++) {
    pthread_join(threads[i], NULL);
    CHECK(ok[i]);
  }
}

int main(void) {
  unsetenv("BEAM_TOKEN");
  if (!start_server()) {
    printf("not ok - the local Beam did not start\n");
    return 1;
  }
  RUN(mistakes_in_options_are_told);
  RUN(script_that_does_not_load_starts_nothing);
  RUN(events_come_in_order);
  RUN(functions_of_the_script_are_called);
  RUN(failing_hooks_leave_the_connection_alone);
  RUN(hooks_over_their_budget_are_stopped);
  RUN(file_that_is_too_large_is_closed);
  RUN(long_texts_for_the_log_are_cut);
  RUN(retry_decides);
  RUN(connect_names_the_target);
  RUN(no_target_at_all);
  RUN(answers_that_make_no_sense_are_told);
  RUN(token_goes_to_its_gateway_alone);
  RUN(open_says_what_is_sent_again);
  RUN(the_next_script_takes_over);
  RUN(a_save_that_fails_holds_nothing_up);
  RUN(save_is_of_the_script_that_is_in_charge);
  RUN(a_file_is_read_again);
  RUN(calls_from_callbacks);
  RUN(a_host_is_freed_in_its_callback);
  RUN(a_freed_host_leaves_no_result);
  RUN(the_descriptor_tells_of_everything);
  RUN(ticks_come_with_steps_or_with_time);
  RUN(a_step_ends_when_its_time_is_over);
  RUN(messages_that_cannot_be_told_are_errors);
  RUN(what_nobody_listens_to_is_logged);
  RUN(what_a_script_raises_is_its_own);
  RUN(hosts_in_threads_of_their_own);
  stop_server();
  return test_end();
}
