/* Upgrades and the server's end of a WebSocket, seen by a foreign client (python3-websockets) and by raw sockets. */
#include "server_harness.h"

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define UPGRADE(target)                                                                                                \
  "GET " target " HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"   \
  "Sec-WebSocket-Key: " KEY "\r\n\r\n"

/* ---- The handlers ---- */

static char events[4096]; /* what the server's WebSockets were told, in short */
static int closed_count, open_count;
static beam_ws *last_ws;

static void note(const char *format, ...) {
  size_t at = strlen(events);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(events + at, sizeof events - at, format, arguments);
  va_end(arguments);
}

static void on_message(beam_ws *ws, const beam_ws_event *event) {
  if (event->len == 7 && memcmp(event->data, "ping me", 7) == 0)
    CHECK_INT(beam_ws_ping(ws, "from the server", 15), 0);
  else if (event->binary)
    CHECK_INT(beam_ws_send_binary(ws, event->data, event->len), 0);
  else
    CHECK_INT(beam_ws_send_text(ws, event->data, event->len), 0);
}

static void on_event(void *user, beam_ws *ws, const beam_ws_event *event) {
  (void)user;
  if (event->type == BEAM_WS_MESSAGE)
    on_message(ws, event);
  if (event->type == BEAM_WS_PING || event->type == BEAM_WS_PONG)
    note("%s %.*s\n", event->type == BEAM_WS_PING ? "ping" : "pong", (int)event->len, event->data);
  if (event->type != BEAM_WS_CLOSED)
    return;
  note("closed %d %s%s\n", event->code, event->reason, event->error ? " error" : "");
  closed_count++;
  beam_ws_free(ws);
}

static beam_ws *accept_request(beam_request *request, const char *target) {
  static const beam_header header = {"X-Some", "thing"};
  beam_ws_options options = {.on_event = on_event, .close_timeout_ms = 500};
  beam_ws *ws = NULL;
  options.fragments = strcmp(target, "/ws/fragments") == 0;
  options.max_message = strcmp(target, "/ws/small") == 0 ? 1000 : 0;
  options.headers = &header;
  options.header_count = strcmp(target, "/ws/headers") == 0;
  CHECK_INT(beam_request_accept(request, &ws, &options), 0);
  CHECK_INT(beam_ws_phase(ws), BEAM_PHASE_OPEN);
  open_count++;
  return last_ws = ws;
}

static void accept_late(void *user) { accept_request(user, "/ws/late"); }

static void on_upgrade(void *user, beam_request *request, const beam_request_view *view) {
  static const beam_header why = {"X-Why", "because"};
  beam_timer *timer;
  if (strncmp(view->target, "/ws", 3) != 0 && strcmp(view->target, "/reject") && strcmp(view->target, "/drop")) {
    on_request(user, request, view);
    return;
  }
  CHECK_INT(view->upgrade, 1);
  if (strcmp(view->target, "/reject") == 0)
    CHECK_INT(beam_request_respond(request, 401, &why, 1, "{}", 2), 0);
  else if (strcmp(view->target, "/drop") == 0)
    beam_request_abort(request, 0);
  else if (strcmp(view->target, "/ws/late") == 0)
    CHECK_INT(beam_timer_start(ctx, &timer, 300, accept_late, request), 0);
  else
    accept_request(request, view->target);
  if (strcmp(view->target, "/ws/close") == 0)
    CHECK_INT(beam_ws_close(last_ws, 4001, "go away"), 0);
  if (strcmp(view->target, "/ws/abort") == 0 || strcmp(view->target, "/ws/reset") == 0)
    beam_ws_abort(last_ws, view->target[4] == 'r');
}

static void start_upgrade_server(void) {
  start_server(0);
  server->options.on_request = on_upgrade;
  closed_count = open_count = 0;
  events[0] = '\0';
}

/* ---- The foreign client ---- */

/* Runs a scenario of server_client.py: what it prints, and what the server's WebSockets are told. */
static void scenario(const char *name, const char *seen, const char *told) {
  const char *python = getenv("BEAM_TEST_PYTHON");
  char command[256];
  start_upgrade_server();
  snprintf(command, sizeof command, "%s tests/core/server/server_client.py %u %s 2>&1",
           python ? python : "/usr/bin/python3", beam_server_port(server), name);
  CHECK_INT(run_command(command), 0);
  CHECK_STR(answer, seen);
  STEP_UNTIL(closed_count == open_count);
  CHECK_STR(events, told);
  stop_server();
}

static void messages_are_echoed(void) { scenario("echo", "closed 1000 \n", "closed 1000 \n"); }

static void fragments_become_messages(void) { scenario("fragments", "one two three\nb'ab'\n", "closed 1000 \n"); }

static void fragments_are_handed_on_if_asked_for(void) { scenario("pieces", "one  | two\n", "closed 1000 \n"); }

static void pings_are_answered_both_ways(void) {
  scenario("ping", "pong\n",
           "ping are you there\nping are you there\nping are you there\npong from the server\nclosed 1000 \n");
}

static void close_codes_go_both_ways(void) {
#define UMLAUTS_20 "ääääääääääääääääääää"
  scenario("closes", "1000 \n1001 \n3000 \n4999 \n",
           "closed 1000 \nclosed 1001 away\nclosed 3000 three\nclosed 4999 " UMLAUTS_20 UMLAUTS_20 UMLAUTS_20 "\n");
}

static void the_server_may_close(void) { scenario("closed_by_server", "4001 go away\n", "closed 4001 go away\n"); }

static void a_message_too_large_is_closed_with_1009(void) { scenario("too_large", "1009 \n", "closed 1006  error\n"); }

static void a_101_may_come_late(void) { scenario("late", "after 300 ms\nhello\n", "closed 1000 \n"); }

static void aborts_are_1006(void) { scenario("aborted", "1006 \n1006 \n", "closed 1006  error\nclosed 1006  error\n"); }

static void upgrades_may_be_rejected(void) { scenario("rejected", "401 because\nInvalidMessage\n", ""); }

static void the_101_may_have_headers(void) { scenario("headers", "thing None\n", "closed 1000 \n"); }

static void many_websockets_at_once(void) {
  char told[150 * 16] = "";
  int i;
  for (i = 0; i < 150; i++)
    strcat(told, "closed 1000 \n");
  scenario("many", "150 done\n", told);
}

/* ---- Raw ---- */

/* A short masked text frame (RFC 6455 section 5.7 has this one). */
static const char hello_frame[] = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
static const char hello_echo[] = "\x81\x05Hello";
static const char switching[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/* The client does not wait for the 101: what it sent is not lost, however late the 101 comes. */
static void frames_before_the_101_are_not_lost(void) {
  static const char *const targets[] = {UPGRADE("/ws"), UPGRADE("/ws/late"),
                                        "GET /static HTTP/1.1\r\nHost: a\r\n\r\n" UPGRADE("/ws")};
  char want[256];
  int i, fd;
  snprintf(want, sizeof want, "%s%s%s", switching, hello_echo, hello_echo);
  for (i = 0; i < 3; i++) {
    char both[1024];
    start_upgrade_server();
    fd = dial();
    snprintf(both, sizeof both, "%s%s", targets[i], hello_frame);
    say(fd, both);
    step_for(20);
    say(fd, hello_frame);
    hear(fd, hello_echo);
    if (!strstr(strstr(answer, "101"), "Hello\x81"))
      hear_once(fd, PATIENCE_MS);
    CHECK_CONTAINS(answer, want);
    close(fd);
    STEP_UNTIL(closed_count == 1);
    CHECK_STR(events, "closed 1006  error\n");
    stop_server();
  }
}

static void leaving_before_the_101_is_told(void) {
  int fd;
  start_upgrade_server();
  fd = dial();
  say(fd, UPGRADE("/held"));
  STEP_UNTIL(held_count == 1);
  CHECK_INT(last_upgrade, 1);
  step_for(50);
  close(fd);
  STEP_UNTIL(gone_count == 1);
  stop_server();
}

static void a_wrong_version_is_answered_with_426(void) {
  int fd;
  start_upgrade_server();
  fd = dial();
  say(fd, "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\n"
          "Sec-WebSocket-Key: " KEY "\r\n\r\n");
  CHECK_INT(hear_end(fd), ENDED);
  CHECK_INT(status_of(answer), 426);
  CHECK_CONTAINS(answer, "\r\nSec-WebSocket-Version: 13\r\n");
  close(fd);
  stop_server();
}

static void what_is_no_upgrade_cannot_be_accepted(void) {
  static const beam_header bad = {"X", "a\r\nb"};
  beam_ws_options options = {.on_event = on_event};
  beam_ws *ws = last_ws;
  int fd;
  start_upgrade_server();
  fd = dial();
  say(fd, "GET /held HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
          "Sec-WebSocket-Key: short\r\n\r\n" UPGRADE("/held"));
  STEP_UNTIL(held_count == 1);
  CHECK_INT(last_upgrade, 0);
  CHECK_INT(beam_request_accept(held[0], &ws, &options), BEAM_EINVALID);
  CHECK(ws == NULL);
  CHECK_INT(beam_request_respond(held[0], 200, NULL, 0, "plain", 5), 0);
  hear(fd, "plain");
  STEP_UNTIL(held_count == 2);
  CHECK_INT(last_upgrade, 1);
  options.headers = &bad, options.header_count = 1;
  CHECK_INT(beam_request_accept(held[1], &ws, &options), BEAM_EINVALID);
  options.header_count = 0;
  CHECK_INT(beam_request_accept(held[1], &ws, &options), 0);
  hear(fd, "\r\n\r\n");
  CHECK_STR(answer, switching);
  beam_ws_free(ws);
  close(fd);
  stop_server();
}

static void broken_frames_are_answered_with_their_code(void) {
  static const struct {
    const char *frame;
    size_t len;
    const char *code;
  } cases[] = {
      {"\x81\x05Hello", 7, "\x88\x02\x03\xea"},                             /* not masked: 1002 */
      {"\xc1\x80\x01\x02\x03\x04", 6, "\x88\x02\x03\xea"},                  /* a reserved bit */
      {"\x81\x81\x01\x01\x01\x01\xfe", 7, "\x88\x02\x03\xef"},              /* not UTF-8: 1007 */
      {"\x82\xff\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f", 10, "\x88\x02\x03\xf1"}, /* far too long: 1009 */
  };
  size_t i;
  for (i = 0; i < sizeof cases / sizeof *cases; i++) {
    int fd;
    start_upgrade_server();
    fd = dial();
    say(fd, UPGRADE("/ws"));
    hear(fd, "\r\n\r\n");
    say_bytes(fd, cases[i].frame, cases[i].len);
    say(fd, hello_frame); /* whatever follows must not turn the end into a reset */
    CHECK_INT(hear_end(fd), ENDED);
    CHECK_INT(answer_len, 4);
    CHECK(memcmp(answer, cases[i].code, 4) == 0);
    close(fd);
    STEP_UNTIL(closed_count == 1);
    stop_server();
  }
}

/* WebSockets belong to who accepted them. */
static void websockets_outlive_their_server(void) {
  int fd;
  start_upgrade_server();
  fd = dial();
  say(fd, UPGRADE("/ws"));
  hear(fd, "\r\n\r\n");
  CHECK_INT(server->connection_count, 0);
  beam_server_close(server);
  step_for(20);
  say(fd, hello_frame);
  hear(fd, hello_echo);
  beam_close(ctx); /* it says that it goes away */
  answer_len = 0;
  recv(fd, answer, 4, 0);
  CHECK(memcmp(answer, "\x88\x02\x03\xe9", 4) == 0);
  CHECK_INT(recv(fd, answer, 4, 0), 0);
  close(fd);
  CHECK_INT(closed_count, 0);
  CHECK_INT(count_descriptors(), descriptors_before);
}

/* A client that does not read: what waits is counted, and reading stops with it where the handler pauses. */
static void pending_and_pause_reach_the_socket(void) {
  static char much[8 << 20];
  size_t pending;
  int fd, i;
  start_upgrade_server();
  fd = dial();
  say(fd, UPGRADE("/ws"));
  hear(fd, "\r\n\r\n");
  CHECK_INT(beam_ws_send_binary(last_ws, much, sizeof much), 0);
  pending = beam_ws_pending(last_ws);
  CHECK(pending > 0 && pending < sizeof much + 14);
  for (answer_len = 0, i = 0; beam_ws_pending(last_ws) && i < 10000; answer_len = 0, i++)
    hear_once(fd, 10);
  CHECK_INT(beam_ws_pending(last_ws), 0);
  beam_ws_pause(last_ws);
  for (i = 0; i < 100; i++) {
    send(fd, much, sizeof much, MSG_NOSIGNAL);
    step_for(1);
  }
  CHECK_INT(send(fd, much, sizeof much, MSG_NOSIGNAL), -1);
  CHECK_STR(events, "");
  beam_ws_free(last_ws);
  reset_and_close(fd);
  stop_server();
}

int main(void) {
  RUN(messages_are_echoed);
  RUN(fragments_become_messages);
  RUN(fragments_are_handed_on_if_asked_for);
  RUN(pings_are_answered_both_ways);
  RUN(close_codes_go_both_ways);
  RUN(the_server_may_close);
  RUN(a_message_too_large_is_closed_with_1009);
  RUN(a_101_may_come_late);
  RUN(aborts_are_1006);
  RUN(upgrades_may_be_rejected);
  RUN(the_101_may_have_headers);
  RUN(many_websockets_at_once);
  RUN(frames_before_the_101_are_not_lost);
  RUN(leaving_before_the_101_is_told);
  RUN(a_wrong_version_is_answered_with_426);
  RUN(what_is_no_upgrade_cannot_be_accepted);
  RUN(broken_frames_are_answered_with_their_code);
  RUN(websockets_outlive_their_server);
  RUN(pending_and_pause_reach_the_socket);
  return test_end();
}
