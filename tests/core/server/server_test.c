/* The HTTP server seen by raw sockets and by curl: what it answers, what it refuses, who leaves when. */
#include "server_harness.h"

static const char *body_of(const char *text) {
  const char *body = strstr(text, "\r\n\r\n");
  return body ? body + 4 : "";
}

/* ---- One request ---- */

static void a_request_is_answered(void) {
  int fd;
  start_server(0);
  fd = dial();
  say(fd, "POST /echo HTTP/1.1\r\nHost: a:1\r\nX-Some-Thing:  Some Value \r\nContent-Length: 5\r\n\r\nhello");
  hear(fd, "hello");
  CHECK_STR(last_request, "POST /echo\nhost: a:1\nx-some-thing: Some Value\ncontent-length: 5\nhello");
  CHECK(strncmp(answer, "HTTP/1.1 200 OK\r\nDate: ", 23) == 0);
  CHECK_CONTAINS(answer,
                 " GMT\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello");
  close(fd);
  stop_server();
}

static void a_request_may_come_byte_by_byte(void) {
  static const char text[] = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nT: x\r\n\r\n" GET("/static");
  size_t i;
  int fd;
  start_server(0);
  fd = dial();
  for (i = 0; i < sizeof text - 1; i++) {
    say_bytes(fd, text + i, 1);
    step_for(0);
  }
  hear(fd, "/static");
  CHECK_CONTAINS(answer, "\r\n\r\nhelloHTTP/1.1 200 OK\r\n");
  CHECK_INT(request_count, 2);
  close(fd);
  stop_server();
}

static void connections_are_kept_or_closed(void) {
  static const struct {
    const char *request;
    int kept;
  } cases[] = {
      {GET("/static"), 1},
      {"GET /static HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 0},
      {"GET /static HTTP/1.0\r\n\r\n", 0},
      {"GET /static HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 1},
  };
  size_t i;
  start_server(0);
  for (i = 0; i < sizeof cases / sizeof *cases; i++) {
    int fd = dial();
    say(fd, cases[i].request);
    hear(fd, "\r\n\r\n/static");
    CHECK_CONTAINS(answer, cases[i].kept ? "Connection: keep-alive\r\n" : "Connection: close\r\n");
    CHECK_INT(hear_once(fd, 30), cases[i].kept ? NOTHING : ENDED);
    if (cases[i].kept)
      say(fd, GET("/static/2")), hear(fd, "/static/2");
    close(fd);
  }
  stop_server();
}

/* All in one segment, far more than one read takes. */
static void pipelined_requests_are_answered_in_order(void) {
  enum { COUNT = 3000 };
  char *all = malloc(COUNT * 64);
  size_t len = 0;
  const char *at = answer;
  int i, fd;
  start_server(0);
  fd = dial();
  for (i = 0; i < COUNT; i++)
    len += (size_t)sprintf(all + len, "GET /static/%d. HTTP/1.1\r\nHost: a\r\n\r\n", i);
  say_bytes(fd, all, len);
  hear(fd, "/static/2999.");
  for (i = 0; i < COUNT && at; i++) {
    char want[32];
    sprintf(want, "\r\n\r\n/static/%d.", i);
    at = strstr(at, "\r\n\r\n");
    if (!CHECK(at && strncmp(at, want, strlen(want)) == 0))
      break;
    at += 4;
  }
  CHECK_INT(request_count, COUNT);
  free(all);
  close(fd);
  stop_server();
}

static void a_pipelined_request_waits_for_the_one_before(void) {
  int fd;
  start_server(0);
  fd = dial();
  say(fd, GET("/late") GET("/late/2") GET("/static"));
  STEP_UNTIL(held_count == 1);
  step_for(300);
  CHECK_INT(request_count, 1);
  expect_requests_only_in_steps = 1;
  CHECK_INT(beam_request_respond(held[0], 200, NULL, 0, "first", 5), 0);
  expect_requests_only_in_steps = 0;
  STEP_UNTIL(held_count == 2);
  CHECK_INT(beam_request_respond(held[1], 200, NULL, 0, "second", 6), 0);
  hear(fd, "/static");
  CHECK(strstr(answer, "first") < strstr(answer, "second") && strstr(answer, "second") < strstr(answer, "/static"));
  close(fd);
  stop_server();
}

static void expect_is_answered_with_100(void) {
  int fd;
  start_server(8);
  fd = dial();
#define EXPECTING(length) "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: " length "\r\n\r\n"
  say(fd, EXPECTING("5"));
  hear(fd, "HTTP/1.1 100 Continue\r\n\r\n");
  say(fd, "hello");
  hear(fd, "\r\n\r\nhello");
  say(fd, EXPECTING("5") "hello"); /* it did not wait: no 100 */
  hear(fd, "\r\n\r\nhello");
  CHECK_INT(status_of(answer), 200);
  say(fd, EXPECTING("9")); /* too long: the answer, and no 100 */
  CHECK_INT(hear_end(fd), ENDED);
  CHECK_INT(status_of(answer), 413);
  close(fd);
  stop_server();
}

static void some_answers_have_no_body(void) {
  int fd;
  start_server(0);
  fd = dial();
  say(fd, "HEAD /static HTTP/1.1\r\nHost: a\r\n\r\n" GET("/empty"));
  STEP_UNTIL(held_count == 1);
  CHECK_INT(beam_request_respond(held[0], 204, NULL, 0, "ignored", 7), 0);
  hear(fd, "Content-Length: 7\r\nConnection: keep-alive\r\n\r\n");
  hear(fd, "\r\n\r\n");
  CHECK(strncmp(answer, "HTTP/1.1 204 No Content\r\n", 25) == 0);
  CHECK(!strstr(answer, "Content-Length") && !strstr(answer, "ignored"));
  close(fd);
  stop_server();
}

/* ---- Refusals ---- */

static void refused(const char *request, int status, const char *error) {
  int fd = dial(), before = request_count;
  say(fd, request);
  CHECK_INT(hear_end(fd), ENDED);
  CHECK_INT(status_of(answer), status);
  CHECK_CONTAINS(answer, "Content-Type: application/json\r\n");
  CHECK_CONTAINS(answer, "Connection: close\r\n");
  CHECK(strncmp(body_of(answer), "{\"error\":\"", 10) == 0);
  CHECK_CONTAINS(body_of(answer), error);
  CHECK_INT(request_count, before);
  close(fd);
}

static void bad_requests_are_refused(void) {
  start_server(64);
  refused("nonsense\r\n\r\n", 400, "method");
  refused("\x16\x03\x01\x02", 400, "method");
  refused("GET / HTTP/1.1\r\n\r\n", 400, "no Host");
  refused("GET / HTTP/3.0\r\n\r\n", 505, "HTTP/1.1");
  refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, "more than one");
  refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400, "Content-Length");
  refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "both");
  refused("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "chunk");
  refused("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "chunked");
  refused("POST / HTTP/1.1\r\nHost: a\r\nExpect: much\r\n\r\n", 417, "100-continue");
  refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65\r\n\r\n", 413, "longer");
  refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n", 413, "longer");
  refused("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n"
          "0123456789012345678901234567890123456789012345678901234567890123456789",
          413, "longer");
  stop_server();
}

/* What was answered before the bad one still arrives, and nothing after it is looked at. */
static void a_refusal_ends_the_connection(void) {
  int fd;
  start_server(0);
  fd = dial();
  say(fd, GET("/static/1") "BAD\r\n\r\n" GET("/static/2"));
  CHECK_INT(hear_end(fd), ENDED);
  CHECK_CONTAINS(answer, "\r\n\r\n/static/1HTTP/1.1 400 Bad Request\r\n");
  CHECK(!strstr(answer, "/static/2"));
  CHECK_INT(request_count, 1);
  close(fd);
  stop_server();
}

static void heads_over_16_kib_are_refused(void) {
  char *head = calloc(1, 20000);
  start_server(0);
  memset(head, 'x', 17000);
  memcpy(head, "GET / HTTP/1.1\r\nA: ", 19);
  refused(head, 431, "16 KiB");
  free(head);
  stop_server();
}

/* The client is still sending when the answer comes: it must not be lost to a reset. */
static void a_refusal_reaches_a_client_that_still_sends(void) {
  static char body[300000];
  int fd;
  start_server(1000);
  fd = dial();
  CHECK_INT(say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n"), 0);
  CHECK_INT(say_bytes(fd, body, sizeof body), 0);
  step_for(10);
  CHECK_INT(say_bytes(fd, body, sizeof body), 0);
  CHECK_INT(hear_end(fd), ENDED);
  CHECK_INT(status_of(answer), 413);
  close(fd);
  stop_server();
}

static void a_body_may_be_as_long_as_max_body(void) {
  int fd;
  start_server(5);
  fd = dial();
  say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
  hear(fd, "\r\n\r\nhello");
  say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nworld\r\n0\r\n\r\n");
  hear(fd, "\r\n\r\nworld");
  close(fd);
  stop_server();
}

/* ---- What the handler may say ---- */

static void bad_answers_are_refused(void) {
  static const beam_header bad[] = {{"X", "a\r\nY: b"}, {"X", "a\nb"}, {"X\r\nY", "a"}, {"X Y", "a"},
                                    {"", "a"},          {"X:", "a"},   {NULL, "a"},     {"X", NULL}};
  static const beam_header good = {"X", "a\tb \xc3\xa4"};
  size_t i;
  int fd;
  start_server(0);
  fd = dial();
  say(fd, GET("/held"));
  STEP_UNTIL(held_count == 1);
  for (i = 0; i < sizeof bad / sizeof *bad; i++) {
    CHECK_INT(beam_request_respond(held[0], 200, &bad[i], 1, "", 0), BEAM_EINVALID);
    CHECK_INT(beam_request_stream_begin(held[0], 200, &bad[i], 1), BEAM_EINVALID);
  }
  CHECK_INT(beam_request_respond(held[0], 101, NULL, 0, "", 0), BEAM_EINVALID);
  CHECK_INT(beam_request_respond(held[0], 1000, NULL, 0, "", 0), BEAM_EINVALID);
  CHECK_INT(beam_request_stream_write(held[0], "x", 1), BEAM_EINVALID);
  CHECK_INT(beam_request_respond(held[0], 299, &good, 1, "fine", 4), 0);
  hear(fd, "fine");
  CHECK(strncmp(answer, "HTTP/1.1 299 \r\n", 15) == 0);
  CHECK_CONTAINS(answer, "\r\nX: a\tb \xc3\xa4\r\n");
  close(fd);
  stop_server();
}

static void framing_is_the_servers_to_say(void) {
  static const beam_header headers[] = {
      {"content-length", "999"}, {"Transfer-Encoding", "chunked"}, {"Connection", "x, close"}, {"date", "never"}};
  int fd;
  start_server(0);
  fd = dial();
  say(fd, GET("/held"));
  STEP_UNTIL(held_count == 1);
  CHECK_INT(beam_request_respond(held[0], 200, headers, 4, "fine", 4), 0);
  CHECK_INT(hear_end(fd), ENDED);
  CHECK_STR(answer, "HTTP/1.1 200 OK\r\ndate: never\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfine");
  close(fd);
  stop_server();
}

static void the_user_pointer_is_kept(void) {
  int fd;
  start_server(0);
  fd = dial();
  say(fd, GET("/held"));
  STEP_UNTIL(held_count == 1);
  CHECK(beam_request_user(held[0]) == NULL);
  beam_request_set_user(held[0], &fd);
  CHECK(beam_request_user(held[0]) == &fd);
  close(fd);
  stop_server();
}

/* ---- Streams ---- */

static void streams_are_chunked(void) {
  int fd;
  start_server(0);
  fd = dial();
  say(fd, GET("/stream") GET("/static"));
  STEP_UNTIL(held_count == 1);
  CHECK_INT(beam_request_stream_begin(held[0], 200, NULL, 0), 0);
  CHECK_INT(beam_request_respond(held[0], 200, NULL, 0, "", 0), BEAM_EINVALID);
  CHECK_INT(beam_request_stream_begin(held[0], 200, NULL, 0), BEAM_EINVALID);
  hear(fd, "Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n");
  CHECK_INT(beam_request_stream_write(held[0], "hello", 5), 0);
  hear(fd, "5\r\nhello\r\n");
  CHECK_INT(beam_request_stream_write(held[0], "", 0), 0);
  CHECK_INT(beam_request_stream_write(held[0], "0123456789abcdefg", 17), 0);
  beam_request_stream_end(held[0]);
  hear(fd, "/static");
  CHECK(strncmp(answer, "11\r\n0123456789abcdefg\r\n0\r\n\r\nHTTP/1.1 200", 38) == 0);
  close(fd);
  stop_server();
}

static void streams_to_http_1_0_end_with_the_connection(void) {
  int fd;
  start_server(0);
  fd = dial();
  say(fd, "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  STEP_UNTIL(held_count == 1);
  CHECK_INT(beam_request_stream_begin(held[0], 200, NULL, 0), 0);
  CHECK_INT(beam_request_stream_write(held[0], "hello", 5), 0);
  beam_request_stream_end(held[0]);
  CHECK_INT(hear_end(fd), ENDED);
  CHECK_CONTAINS(answer, "Connection: close\r\n\r\nhello");
  CHECK(!strstr(answer, "chunked"));
  close(fd);
  stop_server();
}

static void a_stream_to_head_has_no_body(void) {
  int fd;
  start_server(0);
  fd = dial();
  say(fd, "HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n" GET("/static"));
  STEP_UNTIL(held_count == 1);
  CHECK_INT(beam_request_stream_begin(held[0], 200, NULL, 0), 0);
  CHECK_INT(beam_request_stream_write(held[0], "hello", 5), 0);
  beam_request_stream_end(held[0]);
  hear(fd, "/static");
  CHECK_CONTAINS(answer, "chunked\r\nConnection: keep-alive\r\n\r\nHTTP/1.1 200 OK");
  close(fd);
  stop_server();
}

/* What the server counts, and what the client gets in the end, are the same bytes. */
static void pending_counts_what_the_system_has_not_taken(void) {
  enum { PIECE = 100000, PIECES = 200 };
  static char piece[PIECE];
  size_t got = 0, before, len = 0;
  int i, fd;
  start_server(0);
  fd = dial();
  say(fd, "GET /stream HTTP/1.0\r\n\r\n");
  STEP_UNTIL(held_count == 1);
  CHECK_INT(beam_request_stream_begin(held[0], 200, NULL, 0), 0);
  CHECK_INT(beam_request_pending(held[0]), 0);
  hear(fd, "\r\n\r\n");
  for (i = 0; i < PIECES; i++) {
    memset(piece, i, sizeof piece);
    CHECK_INT(beam_request_stream_write(held[0], piece, PIECE), 0);
  }
  step_for(50);
  before = beam_request_pending(held[0]);
  CHECK(before > PIECE && before < (size_t)PIECE * PIECES);
  while (got < (size_t)PIECE * PIECES - before) { /* what the system took can be read without a step */
    ssize_t n = recv(fd, piece, PIECE, 0);
    if (!CHECK(n > 0 || (n < 0 && errno == EAGAIN)))
      break;
    got += n > 0 ? (size_t)n : 0;
  }
  CHECK_INT(got, (size_t)PIECE * PIECES - before);
  CHECK_INT(recv(fd, piece, PIECE, 0), -1);
  beam_request_stream_end(held[0]);
  for (answer_len = 0; (i = hear_once(fd, PATIENCE_MS)) == CAME; answer_len = 0)
    len += answer_len;
  CHECK_INT(i, ENDED);
  CHECK_INT(len, before);
  close(fd);
  stop_server();
}

static void a_long_answer_arrives_whole(void) {
  enum { LONG = 32 << 20 };
  char *body = malloc(LONG), *at = body;
  int i, fd, same = 1;
  start_server(0);
  for (i = 0; i < LONG; i++)
    body[i] = (char)(i * 7 + i / 4096);
  fd = dial();
  say(fd, "GET /held HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  STEP_UNTIL(held_count == 1);
  CHECK_INT(beam_request_respond(held[0], 200, NULL, 0, body, LONG), 0);
  hear_once(fd, PATIENCE_MS);
  at += answer_len - (size_t)(body_of(answer) - answer);
  CHECK(memcmp(body_of(answer), body, (size_t)(at - body)) == 0);
  shutdown(fd, SHUT_WR); /* a client that ends its own half is still given the rest */
  for (answer_len = 0; hear_once(fd, PATIENCE_MS) == CAME; answer_len = 0) {
    same = same && memcmp(answer, at, answer_len) == 0;
    at += answer_len;
  }
  CHECK(same);
  CHECK_INT(at - body, LONG);
  CHECK_INT(gone_count, 0);
  free(body);
  close(fd);
  stop_server();
}

/* ---- Foreign client ---- */

static void curl_is_served(void) {
  char command[1024];
  start_server(0);
  snprintf(
      command, sizeof command,
      "head -c 3000000 /dev/zero | tr '\\0' x > /tmp/beam_server_test.$$ && "
      "curl -sS --noproxy '*' -w ' %%{http_code} %%{num_connects}\\n' http://127.0.0.1:%1$u/static/a "
      "http://127.0.0.1:%1$u/static/b && "
      "curl -sS --noproxy '*' -T /tmp/beam_server_test.$$ http://127.0.0.1:%1$u/echo | wc -c && "
      "curl -sS --noproxy '*' -H 'Transfer-Encoding: chunked' -H 'Expect: 100-continue' -T /tmp/beam_server_test.$$ "
      "http://127.0.0.1:%1$u/echo | wc -c && "
      "curl -sS --noproxy '*' -0 -d hello http://127.0.0.1:%1$u/echo && "
      "curl -sS --noproxy '*' -I http://127.0.0.1:%1$u/static | head -n 1; rm -f /tmp/beam_server_test.$$",
      beam_server_port(server));
  CHECK_INT(run_command(command), 0);
  CHECK_STR(answer, "/static/a 200 1\n/static/b 200 0\n3000000\n3000000\nhelloHTTP/1.1 200 OK\r\n");
  stop_server();
}

int main(void) {
  RUN(a_request_is_answered);
  RUN(a_request_may_come_byte_by_byte);
  RUN(connections_are_kept_or_closed);
  RUN(pipelined_requests_are_answered_in_order);
  RUN(a_pipelined_request_waits_for_the_one_before);
  RUN(expect_is_answered_with_100);
  RUN(some_answers_have_no_body);
  RUN(bad_requests_are_refused);
  RUN(a_refusal_ends_the_connection);
  RUN(heads_over_16_kib_are_refused);
  RUN(a_refusal_reaches_a_client_that_still_sends);
  RUN(a_body_may_be_as_long_as_max_body);
  RUN(bad_answers_are_refused);
  RUN(framing_is_the_servers_to_say);
  RUN(the_user_pointer_is_kept);
  RUN(streams_are_chunked);
  RUN(streams_to_http_1_0_end_with_the_connection);
  RUN(a_stream_to_head_has_no_body);
  RUN(pending_counts_what_the_system_has_not_taken);
  RUN(a_long_answer_arrives_whole);
  RUN(curl_is_served);
  return test_end();
}
