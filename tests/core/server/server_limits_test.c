/* The limits of the HTTP server: connections, heads, bodies, and the time that each may take. */
#include <sys/resource.h>

#include "server_harness.h"

static void start_with(beam_server_options options) {
  beam_error error = {0};
  beam_server *limited;
  start_server(0);
  options.on_request = on_request;
  options.on_gone = on_gone;
  if (beam_server_listen(ctx, &limited, &options, &error)) {
    printf("Bail out! %s\n", error.message);
    exit(1);
  }
  beam_server_close(server);
  server = limited;
}

/* Reads what has come, until nothing more does for `ms`. */
static int hear_for(int fd, int ms) {
  int result;
  step_for(1);
  answer_len = 0;
  while ((result = hear_once(fd, ms)) == CAME)
    ;
  return result;
}

static void waiting_connections_are_bounded(void) {
  int fds[6], i;
  start_with((beam_server_options){.max_connections = 4});
  for (i = 0; i < 6; i++)
    fds[i] = dial(), say(fds[i], GET("/held"));
  step_for(50);
  CHECK_INT(request_count, 4);
  for (i = 0; i < 6; i++) { /* the next is accepted when one leaves */
    STEP_UNTIL(held_count > i);
    CHECK_INT(beam_request_respond(held[i], 200, NULL, 0, "fine", 4), 0);
    hear(fds[i], "fine");
    close(fds[i]);
  }
  CHECK_INT(request_count, 6);
  stop_server();
}

static void the_idle_give_way_to_who_comes(void) {
  int idle[3], held_one, begun, i;
  start_with((beam_server_options){.max_connections = 4});
  held_one = dial_and_hold(GET("/held"));
  for (i = 0; i < 3; i++) {
    idle[i] = dial();
    if (i == 1)
      say(idle[i], "GET /half"); /* a slow head */
    if (i == 2)
      say(idle[i], GET("/static")), hear(idle[i], "/static");
    step_for(5);
  }
  begun = request_count;
  for (i = 0; i < 8; i++) { /* more than there are places */
    int fd = dial();
    say(fd, GET("/static"));
    hear(fd, "/static");
    CHECK_INT(request_count, begun + i + 1);
    CHECK(server->connection_count <= 4);
    step_for(5);
    close(fd);
  }
  for (i = 0; i < 3; i++)
    hear_for(idle[i], 20), close(idle[i]);
  CHECK_INT(beam_request_respond(held[0], 200, NULL, 0, "fine", 4), 0);
  hear(held_one, "fine"); /* who waits for an answer is left alone */
  close(held_one);
  stop_server();
}

static void a_body_must_bring_a_step_in_time(void) {
  static char step[BEAM__BODY_STEP];
  int trickling, steady, i;
  memset(step, 'x', sizeof step);
  start_with((beam_server_options){.body_timeout_ms = 2000});
  trickling = dial(), steady = dial();
  say(trickling, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n");
  say(steady, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 81920\r\n\r\n");
  for (i = 0; i < 5; i++) {
    say_bytes(steady, step, sizeof step);
    say_bytes(trickling, "x", 1);
    step_for(500);
  }
  CHECK_INT(hear_end(trickling), ENDED);
  CHECK_INT(status_of(answer), 408);
  hear_for(steady, 100);
  CHECK_INT(status_of(answer), 200);
  close(trickling), close(steady);
  stop_server();
}

static void a_chunked_body_too(void) {
  int fd, i;
  start_with((beam_server_options){.body_timeout_ms = 150});
  fd = dial();
  say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (i = 0; i < 8; i++) {
    say(fd, "1\r\nx\r\n");
    step_for(30);
  }
  hear_for(fd, 20);
  CHECK_INT(status_of(answer), 408);
  close(fd);
  stop_server();
}

/* A head as long as `len` bytes. */
static void say_head(int fd, size_t len) {
  char head[BEAM__REQUEST_HEAD_MAX + 64];
  int used = snprintf(head, sizeof head, "GET /static HTTP/1.1\r\nHost: a\r\nX: ");
  memset(head + used, 'x', len - (size_t)used - 4);
  memcpy(head + len - 4, "\r\n\r\n", 4);
  say_bytes(fd, head, len);
}

static void a_head_is_as_long_as_it_may_be(void) {
  const size_t lens[] = {999, 1000, 1001, 2000};
  const int statuses[] = {200, 200, 431, 431};
  size_t i;
  start_with((beam_server_options){.max_head = 1000});
  for (i = 0; i < 4; i++) {
    int fd = dial();
    say_head(fd, lens[i]);
    hear_for(fd, 20);
    CHECK_INT(status_of(answer), statuses[i]);
    close(fd);
  }
  stop_server();
}

static void an_endless_head_is_refused_as_soon_as_it_is_too_long(void) {
  int fd, i;
  start_with((beam_server_options){.max_head = 1000});
  fd = dial();
  say(fd, "GET /static HTTP/1.1\r\nX: ");
  for (i = 0; i < 100; i++)
    say(fd, "0123456789");
  hear_for(fd, 20);
  CHECK_INT(status_of(answer), 431);
  close(fd);
  stop_server();
}

static void times_are_options(void) {
  int silent, idle;
  start_with((beam_server_options){.head_timeout_ms = 300, .idle_timeout_ms = 3000});
  silent = dial(), idle = dial();
  say(idle, GET("/static"));
  hear(idle, "/static");
  CHECK_INT(hear_end(silent), ENDED);
  CHECK_INT(hear_for(idle, 0), NOTHING);
  CHECK_INT(hear_end(idle), ENDED);
  close(silent), close(idle);
  stop_server();
}

static void no_more_than_the_process_may_open(void) {
  struct rlimit limit, before;
  getrlimit(RLIMIT_NOFILE, &before);
  limit = before;
  limit.rlim_cur = 200;
  setrlimit(RLIMIT_NOFILE, &limit);
  start_with((beam_server_options){0});
  CHECK_INT(server->connections_max, 200 - BEAM__DESCRIPTORS_SPARED);
  stop_server();
  setrlimit(RLIMIT_NOFILE, &before);
  start_with((beam_server_options){.max_connections = 7});
  CHECK_INT(server->connections_max, 7);
  stop_server();
}

int main(void) {
  RUN(waiting_connections_are_bounded);
  RUN(the_idle_give_way_to_who_comes);
  RUN(a_body_must_bring_a_step_in_time);
  RUN(a_chunked_body_too);
  RUN(a_head_is_as_long_as_it_may_be);
  RUN(an_endless_head_is_refused_as_soon_as_it_is_too_long);
  RUN(times_are_options);
  RUN(no_more_than_the_process_may_open);
  return test_end();
}
