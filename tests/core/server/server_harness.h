/* A server under test and raw clients of it, in one thread: whatever waits for the server steps it. */
#ifndef BEAM_SERVER_HARNESS_H
#define BEAM_SERVER_HARNESS_H

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/server.h"
#include "test.h"

enum { HELD_MAX = 256, ANSWER_MAX = 1 << 20, PATIENCE_MS = 60000 };

/* ---- The server: answers /echo and /static at once, and holds every other request for the test to answer ---- */

static beam_ctx *ctx;
static beam_server *server;
static beam_request *held[HELD_MAX];
static int held_count, request_count, gone_count, descriptors_before;
static beam_request *last_gone;
static char last_request[8192]; /* method, target, headers, body of the last request, one a line */
static int last_upgrade;
static int expect_requests_only_in_steps; /* set while the test is outside of a step: a request then is a failure */

static inline void note_request(const beam_request_view *view) {
  size_t i, at;
  at = (size_t)snprintf(last_request, sizeof last_request, "%s %s\n", view->method, view->target);
  for (i = 0; i < view->header_count && at < sizeof last_request; i++)
    at += (size_t)snprintf(last_request + at, sizeof last_request - at, "%s: %s\n", view->headers[i].name,
                           view->headers[i].value);
  if (at < sizeof last_request)
    snprintf(last_request + at, sizeof last_request - at, "%.*s", (int)(view->body_len < 999 ? view->body_len : 999),
             view->body);
  last_upgrade = view->upgrade;
}

static inline void on_request(void *user, beam_request *request, const beam_request_view *view) {
  beam_header type = {"Content-Type", "text/plain"};
  (void)user;
  CHECK(!expect_requests_only_in_steps);
  request_count++;
  note_request(view);
  if (strcmp(view->target, "/echo") == 0)
    CHECK_INT(beam_request_respond(request, 200, &type, 1, view->body, view->body_len), 0);
  else if (strncmp(view->target, "/static", 7) == 0)
    CHECK_INT(beam_request_respond(request, 200, &type, 1, view->target, strlen(view->target)), 0);
  else if (CHECK(held_count < HELD_MAX))
    held[held_count++] = request;
}

static inline void on_gone(void *user, beam_request *request) {
  (void)user;
  gone_count++;
  last_gone = request;
}

static inline int count_descriptors(void) {
  DIR *directory = opendir("/proc/self/fd");
  int count = 0;
  while (readdir(directory))
    count++;
  closedir(directory);
  return count;
}

static inline void start_server(size_t max_body) {
  beam_server_options options = {.on_request = on_request, .on_gone = on_gone, .max_body = max_body};
  beam_error error = {0};
  beam_new(&ctx, NULL); /* the first loop of a process opens two descriptors of libuv's own that stay */
  beam_close(ctx);
  descriptors_before = count_descriptors();
  held_count = request_count = gone_count = 0;
  last_gone = NULL;
  if (beam_new(&ctx, NULL) || beam_server_listen(ctx, &server, &options, &error)) {
    printf("Bail out! %s\n", error.message);
    exit(1);
  }
}

/* Clients must be closed before. */
static inline void stop_server(void) {
  beam_close(ctx);
  CHECK_INT(count_descriptors(), descriptors_before);
}

/* And so many steps at least: a busy machine may take the whole time for itself. */
static inline void step_for(int ms) {
  uint64_t end = uv_hrtime() / 1000000 + (uint64_t)ms;
  int steps = ms ? 10 : 1;
  do
    beam_step(ctx, 2);
  while (--steps > 0 || uv_hrtime() / 1000000 < end);
}

/* Steps until the condition holds, for up to PATIENCE_MS. */
#define STEP_UNTIL(condition)                                                                                          \
  do {                                                                                                                 \
    uint64_t end_ = uv_hrtime() / 1000000 + PATIENCE_MS;                                                               \
    while (!(condition) && uv_hrtime() / 1000000 < end_)                                                               \
      beam_step(ctx, 2);                                                                                               \
    CHECK(condition);                                                                                                  \
  } while (0)

/* ---- Clients ---- */

static inline int dial(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)beam_server_port(server))};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address))
    abort();
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

/* Sends all, stepping the server while the system takes no more. 0, or an errno. */
static inline int say_bytes(int fd, const void *bytes, size_t len) {
  size_t sent = 0;
  while (sent < len) {
    ssize_t n = send(fd, (const char *)bytes + sent, len - sent, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN)
      return errno;
    sent += n > 0 ? (size_t)n : 0;
    beam_step(ctx, 0);
  }
  return 0;
}

static inline int say(int fd, const char *text) { return say_bytes(fd, text, strlen(text)); }

/* What came; the last one's answer, NUL-terminated. */
static char answer[ANSWER_MAX];
static size_t answer_len;

enum { CAME = 1, ENDED = 0, NOTHING = -1 }; /* or minus an errno below */

/* Reads once, stepping. CAME, ENDED, NOTHING after `ms`, or -errno. */
static inline int hear_once(int fd, int ms) {
  uint64_t end = uv_hrtime() / 1000000 + (uint64_t)ms;
  for (;;) {
    ssize_t n = recv(fd, answer + answer_len, ANSWER_MAX - 1 - answer_len, 0);
    if (n > 0)
      answer_len += (size_t)n;
    answer[answer_len] = '\0';
    if (n > 0 || (n == 0 && answer_len < ANSWER_MAX - 1))
      return n > 0 ? CAME : ENDED;
    if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
      return n == 0 ? NOTHING : -errno;
    if (uv_hrtime() / 1000000 >= end)
      return NOTHING;
    beam_step(ctx, 1);
  }
}

/* Reads until the answer ends with this text. */
static inline void hear(int fd, const char *last) {
  size_t len = strlen(last);
  int came = CAME;
  answer_len = 0;
  while (came == CAME && (answer_len < len || memcmp(answer + answer_len - len, last, len) != 0))
    came = hear_once(fd, PATIENCE_MS);
  CHECK_INT(came, CAME);
}

/* Reads until the end: ENDED, NOTHING, or -errno. */
static inline int hear_end(int fd) {
  int result;
  answer_len = 0;
  while ((result = hear_once(fd, PATIENCE_MS)) == CAME)
    ;
  return result;
}

static inline void reset_and_close(int fd) {
  struct linger at_once = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(fd);
}

static inline int status_of(const char *text) {
  int status = 0;
  sscanf(text, "HTTP/1.1 %d", &status);
  return status;
}

/* Runs a command, stepping the server; its output, NUL-terminated, in `answer`. Returns its exit status. */
static inline int run_command(const char *command) {
  FILE *pipe = popen(command, "r");
  int fd = fileno(pipe), status;
  uint64_t end = uv_hrtime() / 1000000 + 60000;
  fcntl(fd, F_SETFL, O_NONBLOCK);
  answer_len = 0;
  while (uv_hrtime() / 1000000 < end) {
    ssize_t n = read(fd, answer + answer_len, ANSWER_MAX - 1 - answer_len);
    if (n == 0 || (n < 0 && errno != EAGAIN))
      break;
    answer_len += n > 0 ? (size_t)n : 0;
    beam_step(ctx, n > 0 ? 0 : 1);
  }
  answer[answer_len] = '\0';
  status = pclose(pipe);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define GET(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

/* A client with a request that is held. */
static inline int dial_and_hold(const char *target) {
  int fd = dial(), before = held_count;
  say(fd, target);
  STEP_UNTIL(held_count == before + 1);
  return fd;
}

#endif
