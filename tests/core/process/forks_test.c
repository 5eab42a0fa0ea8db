/* A fork in the middle of everything: the child is told that the context is its parent's, and whatever it does with it,
 * freeing and closing included, the parent loses nothing. The child's own context works. */
#include <sys/wait.h>

#include "certificate.h"
#include "core/callbacks/world.h"

static char logged[512];
static int log_lines;

static void nobody_bites(const char *event, party *whose) { (void)event, (void)whose; }

static void on_log(void *user, enum beam_log_level level, const char *line) {
  (void)user, (void)level;
  log_lines++;
  snprintf(logged, sizeof logged, "%s", line);
}

static void make_world(void) {
  beam_options options = {.log = on_log};
  bite = nobody_bites;
  snprintf(w.ca_file, sizeof w.ca_file, "/tmp/beam-forks-%d.pem", (int)getpid());
  write_certificate(w.ca_file);
  if (pipe(w.pipe) || beam_new(&w.ctx, &options) || !listen_at(&w.server, 0, 1))
    abort();
  w.port = beam_server_port(w.server);
  fill_world(1);
  w.self = party_new("self");
  open_ws(w.self, (beam_ws_options){.url = way_to("wss", "/")});
  STEP_UNTIL(is_open(w.self) && is_open(w.self_peer));
}

/* ---- In the child ---- */

static void refuses_what_could_fail(void) {
  beam_error error;
  beam_timer *timer;
  beam_read *read;
  party *p = party_new("child's");
  beam_ws_options ws = {.url = way_to("wss", "/"), .on_event = on_ws, .user = p};
  beam_http_options http = {.url = way_to("https", "/"), .on_event = on_http, .user = p};
  beam_server_options server = {.on_request = on_request};
  CHECK_INT(beam_step(w.ctx, 0), BEAM_EINVALID);
  CHECK_CONTAINS(logged, "made before a fork, by another process");
  CHECK_INT(beam_turn(w.ctx), BEAM_EINVALID);
  CHECK_INT(beam_fd(w.ctx), BEAM_EINVALID);
  CHECK_INT(beam_timer_start(w.ctx, &timer, 0, on_timer, NULL), BEAM_EINVALID);
  CHECK_INT(beam_read_start(w.ctx, &read, 0, on_read, NULL), BEAM_EINVALID);
  CHECK_INT(beam_ws_open(w.ctx, &p->ws, &ws, &error), BEAM_EINVALID);
  CHECK_CONTAINS(error.message, "make one here");
  CHECK_INT(beam_http_start(w.ctx, &p->http, &http, &error), BEAM_EINVALID);
  CHECK_CONTAINS(error.message, "make one here");
  CHECK_INT(beam_server_listen(w.ctx, &w.third, &server, &error), BEAM_EINVALID);
  CHECK_CONTAINS(error.message, "make one here");
  CHECK_INT(beam_ws_send_text(w.self->ws, "no", 2), BEAM_EINVALID);
  CHECK_INT(beam_ws_send_binary(w.self->ws, "no", 2), BEAM_EINVALID);
  CHECK_INT(beam_ws_ping(w.self->ws, "no", 2), BEAM_EINVALID);
  CHECK_INT(beam_ws_close(w.self->ws, 1000, NULL), BEAM_EINVALID);
  CHECK_INT(beam_http_write(w.uploading->http, "no", 2), BEAM_EINVALID);
  CHECK_INT(beam_http_write_end(w.uploading->http), BEAM_EINVALID);
  CHECK_INT(beam_request_respond(w.requests[STAYS_HELD], 200, NULL, 0, "no", 2), BEAM_EINVALID);
  CHECK_INT(beam_request_stream_begin(w.requests[STAYS_HELD], 200, NULL, 0), BEAM_EINVALID);
  CHECK_INT(beam_request_stream_write(w.requests[STREAMS], "no", 2), BEAM_EINVALID);
  CHECK_INT(accept_ws(w.requests[WAITS_FOR_UPGRADE], p, NULL), BEAM_EINVALID);
  CHECK_INT(log_lines, 1);
}

static void frees_everything(void) {
  beam_ws_pause(w.self->ws);
  beam_ws_resume(w.self->ws);
  beam_ws_abort(w.self_peer->ws, 1);
  beam_ws_free(w.self->ws);
  beam_ws_free(w.other->ws);
  beam_http_pause(w.streaming->http);
  beam_http_resume(w.streaming->http);
  beam_http_free(w.streaming->http);
  beam_http_free(w.uploading->http);
  beam_request_stream_end(w.requests[STREAMS]);
  beam_request_abort(w.requests[STAYS_HELD], 1);
  beam_timer_stop(w.timer);
  beam_read_stop(w.read);
  beam_server_close(w.server);
  beam_wakeup(w.ctx);
  beam_close(w.ctx);
}

/* The same address, over a context of its own; the parent answers meanwhile. */
static void calls_by_itself(void) {
  beam_ctx *parents = w.ctx;
  party *p;
  CHECK_INT(beam_new(&w.ctx, NULL), 0);
  p = start_http(party_new("child's"), (beam_http_options){.url = way_to("https", "/")});
  STEP_UNTIL(p->ended);
  CHECK_INT(p->ended, 1);
  CHECK_INT(p->failed, 0);
  beam_close(w.ctx);
  w.ctx = parents;
}

static int child_status(pid_t child) {
  int status = -1;
  STEP_UNTIL(waitpid(child, &status, WNOHANG) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void the_child_may_nothing_and_breaks_nothing(void) {
  pid_t child;
  fflush(stdout);
  child = fork();
  if (child == 0) {
    refuses_what_could_fail();
    calls_by_itself();
    frees_everything();
    fflush(stdout);
    exit(test_case_failures ? 1 : 0); /* with all that exit does */
  }
  CHECK_INT(child_status(child), 0);
}

/* One that only ends, in each way. */
static void children_that_end(void) {
  int way;
  for (way = 0; way < 3; way++) {
    pid_t child;
    fflush(stdout);
    child = fork();
    if (child == 0) {
      if (way == 0)
        exit(0);
      if (way == 1)
        _exit(0);
      execl("/bin/true", "true", (char *)NULL);
    }
    CHECK_INT(child_status(child), 0);
  }
}

/* ---- In the parent, after them ---- */

static size_t heard;

static void hear(const char *event, party *whose) { heard += whose == w.self && strstr(event, "message") != NULL; }

static void the_parent_goes_on(void) {
  bite = hear;
  CHECK_INT(beam_ws_send_text(w.self->ws, "there", 5), 0);
  STEP_UNTIL(heard == 2); /* the server of the world says all twice */
  CHECK_INT(heard, 2);
  CHECK(!w.self->ended && !w.self_peer->ended && !w.other->ended && !w.streaming->ended && !w.waiting->ended);
  CHECK_INT(beam_request_stream_write(w.requests[STREAMS], "piece", 5), 0);
  beam_request_stream_end(w.requests[STREAMS]);
  w.requests[STREAMS] = NULL;
  CHECK_INT(beam_request_respond(w.requests[STAYS_HELD], 200, NULL, 0, "late", 4), 0);
  w.requests[STAYS_HELD] = NULL;
  STEP_UNTIL(w.streaming->ended && w.waiting->ended);
  CHECK_INT(w.streaming->failed, 0);
  CHECK_INT(w.waiting->failed, 0);
  beam_ws_close(w.self->ws, 1000, NULL);
  STEP_UNTIL(w.self->ended && w.self_peer->ended);
  CHECK_INT(w.self->failed, 0);
  CHECK_INT(log_lines, 0);
}

int main(void) {
  make_world();
  RUN(the_child_may_nothing_and_breaks_nothing);
  RUN(children_that_end);
  RUN(the_parent_goes_on);
  clear_world();
  beam_server_close(w.server);
  beam_server_close(w.second);
  beam_close(w.ctx);
  unlink(w.ca_file);
  return test_end();
}
