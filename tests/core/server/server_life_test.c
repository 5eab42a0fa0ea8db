/* Who leaves when: clients that disconnect, answers that are aborted, servers closed with everything in flight,
 * time-outs and bounds. */
#include <sys/resource.h>

#include "server_harness.h"

static void wait_gone(int count) {
  STEP_UNTIL(gone_count == count);
  step_for(20);
  CHECK_INT(gone_count, count);
}

/* ---- The client leaves ---- */

static void leaving_while_waiting_is_told(void) {
  int fd;
  start_server(0);
  fd = dial_and_hold(GET("/held"));
  step_for(300);
  CHECK_INT(gone_count, 0);
  close(fd);
  wait_gone(1);
  CHECK(last_gone == held[0]);
  reset_and_close(dial_and_hold(GET("/held")));
  wait_gone(2);
  fd = dial_and_hold(GET("/held"));
  shutdown(fd, SHUT_WR);
  wait_gone(3);
  close(fd);
  fd = dial_and_hold(GET("/held") GET("/static") "GET /hal");
  close(fd);
  wait_gone(4);
  CHECK_INT(request_count, 4);
  stop_server();
}

static void leaving_while_streaming_is_told(void) {
  static char piece[100000];
  int fd, i;
  start_server(0);
  fd = dial_and_hold(GET("/stream"));
  CHECK_INT(beam_request_stream_begin(held[0], 200, NULL, 0), 0);
  CHECK_INT(beam_request_stream_write(held[0], "hello", 5), 0);
  hear(fd, "hello\r\n");
  close(fd);
  wait_gone(1);
  fd = dial_and_hold(GET("/stream"));
  CHECK_INT(beam_request_stream_begin(held[1], 200, NULL, 0), 0);
  for (i = 0; i < 100; i++)
    CHECK_INT(beam_request_stream_write(held[1], piece, sizeof piece), 0);
  CHECK(beam_request_pending(held[1]) > 0);
  reset_and_close(fd);
  wait_gone(2);
  stop_server();
}

/* A write finds that the client has left before reading does: still from a step, still once. */
static void leaving_is_found_by_a_write(void) {
  int fd, i;
  start_server(0);
  fd = dial_and_hold(GET("/stream"));
  CHECK_INT(beam_request_stream_begin(held[0], 200, NULL, 0), 0);
  reset_and_close(fd);
  for (i = 0; i < 10; i++)
    CHECK_INT(beam_request_stream_write(held[0], "hello", 5), 0);
  CHECK_INT(gone_count, 0);
  wait_gone(1);
  stop_server();
}

static void an_answer_to_one_who_left_is_harmless(void) {
  start_server(0);
  reset_and_close(dial_and_hold(GET("/held")));
  CHECK_INT(beam_request_respond(held[0], 200, NULL, 0, "late", 4), 0);
  step_for(30);
  CHECK_INT(gone_count, 0);
  stop_server();
}

static void leaving_before_a_request_is_whole_is_nobodys_business(void) {
  static const char *const parts[] = {"", "GET / HT", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhell",
                                      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"};
  size_t i;
  start_server(0);
  for (i = 0; i < sizeof parts / sizeof *parts; i++) {
    int fd = dial();
    say(fd, parts[i]);
    step_for(5);
    i % 2 ? reset_and_close(fd) : close(fd);
  }
  STEP_UNTIL(server->connection_count == 0);
  CHECK_INT(request_count + gone_count, 0);
  stop_server();
}

/* What waits behind an unanswered request is bounded: the client's send stops. */
static void requests_ahead_are_bounded(void) {
  static char flood[1 << 20];
  int fd, i;
  size_t at, answered;
  start_server(0);
  for (at = 0; at + 64 < sizeof flood;)
    at += (size_t)sprintf(flood + at, GET("/static"));
  fd = dial_and_hold(GET("/held"));
  for (i = 0; i < 100; i++) {
    send(fd, flood, at, MSG_NOSIGNAL);
    step_for(1);
  }
  CHECK_INT(send(fd, flood, at, MSG_NOSIGNAL), -1);
  CHECK_INT(request_count, 1);
  CHECK_INT(beam_request_respond(held[0], 200, NULL, 0, "", 0), 0);
  for (answered = 0; answered < 1000000 && hear_once(fd, PATIENCE_MS) == CAME; answer_len = 0)
    answered += answer_len;
  CHECK(answered >= 1000000);
  close(fd);
  stop_server();
}

/* ---- Aborted by the handler ---- */

static void aborts_are_resets_or_ends(void) {
  int fd;
  start_server(0);
  fd = dial_and_hold(GET("/held"));
  beam_request_abort(held[0], 1);
  CHECK_INT(hear_end(fd), -ECONNRESET);
  close(fd);
  fd = dial_and_hold(GET("/held") GET("/static"));
  beam_request_abort(held[1], 0);
  CHECK_INT(hear_end(fd), ENDED);
  CHECK_INT(answer_len, 0);
  close(fd);
  fd = dial_and_hold(GET("/stream"));
  CHECK_INT(beam_request_stream_begin(held[2], 200, NULL, 0), 0);
  CHECK_INT(beam_request_stream_write(held[2], "hello", 5), 0);
  beam_request_abort(held[2], 0);
  CHECK_INT(hear_end(fd), ENDED);
  CHECK_CONTAINS(answer, "\r\n\r\n5\r\nhello\r\n");
  close(fd);
  step_for(20);
  CHECK_INT(gone_count, 0);
  stop_server();
}

/* ---- The server is closed ---- */

static void in_flight(int fds[6]) {
  static char piece[1 << 20];
  int i;
  fds[0] = dial();
  fds[1] = dial(), say(fds[1], "GET / HT");
  fds[2] = dial(), say(fds[2], "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhell");
  fds[3] = dial_and_hold(GET("/held") GET("/static"));
  fds[4] = dial_and_hold(GET("/stream"));
  fds[5] = dial_and_hold(GET("/long"));
  CHECK_INT(beam_request_stream_begin(held[1], 200, NULL, 0), 0);
  for (i = 0; i < 20; i++)
    CHECK_INT(beam_request_stream_write(held[1], piece, sizeof piece), 0);
  CHECK_INT(beam_request_respond(held[2], 200, NULL, 0, piece, sizeof piece), 0);
  step_for(5);
}

static void closing_ends_what_is_in_flight(void) {
  int fds[6], i;
  start_server(0);
  in_flight(fds);
  beam_server_close(server);
  for (i = 0; i < 6; i++) {
    int result;
    for (answer_len = 0; (result = hear_once(fds[i], 1000)) == CAME; answer_len = 0)
      ;
    CHECK(result != NOTHING);
    close(fds[i]);
  }
  step_for(20);
  CHECK_INT(gone_count, 0);
  stop_server();
}

static void closing_the_context_ends_what_is_in_flight(void) {
  int fds[6], i;
  start_server(0);
  in_flight(fds);
  beam_close(ctx);
  for (i = 0; i < 6; i++)
    close(fds[i]);
  CHECK_INT(gone_count, 0);
  CHECK_INT(count_descriptors(), descriptors_before);
}

static void close_in_request(void *user, beam_request *request, const beam_request_view *view) {
  (void)user;
  if (strcmp(view->target, "/answer") == 0)
    CHECK_INT(beam_request_respond(request, 200, NULL, 0, "bye", 3), 0);
  beam_server_close(server);
  CHECK_STR(view->method, "GET"); /* the view lasts as long as the callback */
}

static void a_server_may_be_closed_in_its_callback(void) {
  static const char *const requests[] = {GET("/") GET("/"), GET("/answer") GET("/answer")};
  int i, fd;
  for (i = 0; i < 2; i++) {
    start_server(0);
    server->options.on_request = close_in_request;
    fd = dial();
    say(fd, requests[i]);
    CHECK_INT(hear_end(fd) == NOTHING, 0);
    if (i)
      CHECK_CONTAINS(answer, "bye");
    close(fd);
    stop_server();
  }
}

static void close_in_gone(void *user, beam_request *request) {
  (void)user;
  CHECK_INT(beam_request_respond(request, 200, NULL, 0, "", 0), BEAM_EINVALID);
  beam_request_abort(request, 1);
  beam_server_close(server);
}

static void a_server_may_be_closed_when_a_client_leaves(void) {
  start_server(0);
  server->options.on_gone = close_in_gone;
  close(dial_and_hold(GET("/held")));
  step_for(50);
  stop_server();
}

/* ---- Time-outs ---- */

static void a_head_has_a_deadline(void) {
  int fd, silent, i;
  start_server(0);
  server->head_timeout_ms = 150;
  silent = dial(), fd = dial();
  for (i = 0; i < 8; i++) { /* a byte now and then does not help */
    say_bytes(fd, &"GET /abc"[i], 1);
    step_for(30);
  }
  answer_len = 0;
  CHECK_INT(hear_once(fd, 0), CAME); /* it has come already */
  CHECK_INT(status_of(answer), 408);
  CHECK_INT(hear_end(fd), ENDED);
  CHECK_INT(hear_end(silent), ENDED);
  CHECK_INT(answer_len, 0);
  close(fd);
  close(silent);
  stop_server();
}

static void stalled_connections_end(void) {
  int idle, body, waiting;
  start_server(0);
  server->idle_timeout_ms = server->body_timeout_ms = 150;
  idle = dial(), body = dial();
  say(idle, GET("/static"));
  hear(idle, "/static");
  say(body, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhell");
  waiting = dial_and_hold(GET("/held"));
  CHECK_INT(hear_end(idle), ENDED);
  CHECK_INT(hear_end(body), ENDED);
  CHECK_INT(status_of(answer), 408);
  step_for(200);
  CHECK_INT(hear_once(waiting, 0), NOTHING); /* a handler may take its time */
  CHECK_INT(beam_request_respond(held[0], 200, NULL, 0, "fine", 4), 0);
  hear(waiting, "fine");
  close(idle), close(body), close(waiting);
  stop_server();
}

/* Also the deadline of the head, and of the pause before it, ends with the head. */
static void a_handler_may_take_its_time(void) {
  beam_server_options options = {
      .on_request = on_request, .on_gone = on_gone, .head_timeout_ms = 150, .idle_timeout_ms = 150};
  int fd;
  start_server(0);
  beam_server_close(server);
  CHECK_INT(beam_server_listen(ctx, &server, &options, NULL), 0);
  fd = dial_and_hold(GET("/held"));
  step_for(400);
  CHECK_INT(hear_once(fd, 0), NOTHING);
  CHECK_INT(beam_request_respond(held[0], 200, NULL, 0, "first", 5), 0);
  hear(fd, "first");
  say(fd, GET("/held"));
  STEP_UNTIL(held_count == 2);
  step_for(400);
  CHECK_INT(hear_once(fd, 0), NOTHING);
  CHECK_INT(beam_request_respond(held[1], 200, NULL, 0, "second", 6), 0);
  hear(fd, "second");
  close(fd);
  stop_server();
}

/* An answer that the client does not take ends; one that it takes slowly does not. */
static void answers_must_move(void) {
  enum { LONG = 16 << 20 };
  static char body[LONG];
  int stalled, slow, i;
  size_t got = 0;
  start_server(0);
  stalled = dial_and_hold(GET("/held"));
  slow = dial_and_hold(GET("/held"));
  CHECK_INT(beam_request_respond(held[0], 200, NULL, 0, body, LONG), 0);
  CHECK_INT(beam_request_respond(held[1], 200, NULL, 0, body, LONG), 0);
  server->idle_timeout_ms = 1500;
  step_for(5);
  for (i = 0; i < 15; i++) {
    answer_len = 0;
    CHECK_INT(hear_once(slow, PATIENCE_MS), CAME);
    got += answer_len;
    step_for(150);
  }
  STEP_UNTIL(server->connection_count == 1);
  for (answer_len = 0; got < LONG && hear_once(slow, PATIENCE_MS) == CAME; answer_len = 0)
    got += answer_len;
  CHECK(got > LONG);
  close(stalled), close(slow);
  stop_server();
}

/* Nor may one in pieces stand, though more of it is to come; where nothing waits for the client it may. */
static void streams_must_move(void) {
  enum { LONG = 16 << 20 };
  static char piece[LONG];
  int stalled, slow, quiet, i;
  start_server(0);
  stalled = dial_and_hold(GET("/stream"));
  slow = dial_and_hold(GET("/stream"));
  quiet = dial_and_hold(GET("/stream"));
  server->idle_timeout_ms = 1500;
  for (i = 0; i < 3; i++) {
    CHECK_INT(beam_request_stream_begin(held[i], 200, NULL, 0), 0);
    CHECK_INT(beam_request_stream_write(held[i], piece, i == 2 ? 5 : LONG), 0);
  }
  for (i = 0; i < 25; i++) {
    answer_len = 0;
    CHECK_INT(hear_once(slow, PATIENCE_MS), CAME);
    CHECK_INT(beam_request_stream_write(held[1], piece, answer_len), 0);
    step_for(150);
  }
  STEP_UNTIL(gone_count == 1);
  CHECK(last_gone == held[0]);
  CHECK_INT(server->connection_count, 2);
  beam_request_stream_end(held[2]);
  close(stalled), close(slow), close(quiet);
  stop_server();
}

/* The time for the client to end the connection starts when it has the answer. */
static void a_last_answer_may_be_taken_slowly(void) {
  enum { LONG = 16 << 20 };
  static char body[LONG];
  size_t got = 0;
  int fd, i;
  start_server(0);
  server->linger_timeout_ms = 50;
  fd = dial_and_hold("GET /held HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  CHECK_INT(beam_request_respond(held[0], 200, NULL, 0, body, LONG), 0);
  for (i = 0; i < 5; i++) {
    step_for(50);
    answer_len = 0;
    CHECK_INT(hear_once(fd, PATIENCE_MS), CAME);
    got += answer_len;
  }
  for (answer_len = 0; (i = hear_once(fd, PATIENCE_MS)) == CAME; answer_len = 0)
    got += answer_len;
  CHECK_INT(i, ENDED);
  CHECK(got > LONG);
  close(fd);
  stop_server();
}

/* ---- Bounds ---- */

/* As many as the system lets both ends of in one process, up to `wanted`. */
static int affordable(int wanted) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur / 2 > (rlim_t)wanted + 50 ? wanted : (int)(limit.rlim_cur / 2) - 50;
}

static void many_clients_at_once(void) {
  enum { MANY = 3000, ROUNDS = 3 };
  static int fds[MANY];
  int many = affordable(MANY), i, round;
  start_server(0);
  for (i = 0; i < many; i++) {
    fds[i] = dial();
    beam_step(ctx, 0);
  }
  for (round = 0; round < ROUNDS; round++) {
    for (i = 0; i < many; i++)
      say(fds[i], GET("/static"));
    for (i = 0; i < many; i++)
      hear(fds[i], "/static");
  }
  CHECK_INT(request_count, many * ROUNDS);
  CHECK_INT(server->connection_count, many);
  for (i = 0; i < many; i++)
    i % 3 ? close(fds[i]) : reset_and_close(fds[i]);
  STEP_UNTIL(server->connection_count == 0);
  stop_server();
}

/* ---- Listening ---- */

static void listening_may_fail(void) {
  beam_server_options options = {.on_request = on_request};
  beam_server *second;
  beam_error error = {0};
  start_server(0);
  options.port = beam_server_port(server);
  CHECK_INT(beam_server_listen(ctx, &second, &options, &error), BEAM_ECONNECT);
  CHECK(second == NULL);
  CHECK_INT(error.code, BEAM_ECONNECT);
  CHECK_INT(error.system, EADDRINUSE);
  CHECK_CONTAINS(error.message, "cannot listen on 127.0.0.1:");
  CHECK_CONTAINS(error.message, "address already in use");
  options.host = "localhost";
  CHECK_INT(beam_server_listen(ctx, &second, &options, &error), BEAM_EINVALID);
  CHECK_CONTAINS(error.message, "numeric");
  options.host = NULL, options.port = 65536;
  CHECK_INT(beam_server_listen(ctx, &second, &options, NULL), BEAM_EINVALID);
  options.port = 0, options.on_request = NULL;
  CHECK_INT(beam_server_listen(ctx, &second, &options, NULL), BEAM_EINVALID);
  stop_server();
}

static void ipv6_is_listened_on(void) {
  beam_server_options options = {.on_request = on_request, .host = "::1"};
  struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  beam_server *second;
  int fd;
  start_server(0);
  REQUIRE(beam_server_listen(ctx, &second, &options, NULL) == 0);
  address.sin6_port = htons((uint16_t)beam_server_port(second));
  fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK_INT(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  say(fd, GET("/static"));
  hear(fd, "/static");
  close(fd);
  stop_server();
}

int main(void) {
  RUN(leaving_while_waiting_is_told);
  RUN(leaving_while_streaming_is_told);
  RUN(leaving_is_found_by_a_write);
  RUN(an_answer_to_one_who_left_is_harmless);
  RUN(leaving_before_a_request_is_whole_is_nobodys_business);
  RUN(requests_ahead_are_bounded);
  RUN(aborts_are_resets_or_ends);
  RUN(closing_ends_what_is_in_flight);
  RUN(closing_the_context_ends_what_is_in_flight);
  RUN(a_server_may_be_closed_in_its_callback);
  RUN(a_server_may_be_closed_when_a_client_leaves);
  RUN(a_head_has_a_deadline);
  RUN(stalled_connections_end);
  RUN(a_handler_may_take_its_time);
  RUN(answers_must_move);
  RUN(streams_must_move);
  RUN(a_last_answer_may_be_taken_slowly);
  RUN(many_clients_at_once);
  RUN(listening_may_fail);
  RUN(ipv6_is_listened_on);
  return test_end();
}
