/* What the HTTP tests share: their server (http_server.py), and a call that runs to its end. */
#ifndef BEAM_HTTP_FIXTURE_H
#define BEAM_HTTP_FIXTURE_H

#include <dirent.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "beam.h"
#include "test.h"

/* ---- The server ---- */

static char server_names[64][2][256]; /* name, value */
static int server_name_count, server_pipe;
static pid_t server_pid;

static inline const char *server_text(const char *name) {
  int i;
  for (i = 0; i < server_name_count; i++)
    if (!strcmp(server_names[i][0], name))
      return server_names[i][1];
  printf("Bail out! the server has no %s\n", name);
  exit(1);
}

static inline int server_port(const char *name) { return atoi(server_text(name)); }

static inline void server_read_names(void) {
  FILE *out = fdopen(dup(server_pipe), "r");
  char line[600];
  while (fgets(line, sizeof line, out) && strcmp(line, "ready\n") != 0)
    if (sscanf(line, "%255[^=]=%255[^\n]", server_names[server_name_count][0], server_names[server_name_count][1]) == 2)
      server_name_count++;
  fclose(out);
}

static inline void server_stop(void) {
  close(server_pipe);
  waitpid(server_pid, NULL, 0);
}

static inline void server_start(void) {
  const char *python = getenv("BEAM_TEST_PYTHON");
  char script[1024];
  int ends[2];
  const char *slash = strrchr(__FILE__, '/');
  snprintf(script, sizeof script, "%.*s/http_server.py", (int)(slash - __FILE__), __FILE__);
  if (pipe(ends))
    exit(1);
  server_pid = fork();
  if (server_pid == 0) {
    dup2(ends[1], 1);
    close(ends[0]);
    close(ends[1]);
    execlp(python ? python : "/usr/bin/python3", "python3", script, (char *)NULL);
    _exit(127);
  }
  close(ends[1]);
  server_pipe = ends[0];
  server_read_names();
}

/* "http://127.0.0.1:PORT/path"; static, eight at a time. */
static inline const char *url_of(const char *scheme, const char *host, const char *port_name, const char *path) {
  static char urls[8][512];
  static int next;
  char *url = urls[next++ % 8];
  snprintf(url, sizeof urls[0], "%s://%s:%d%s", scheme, host, server_port(port_name), path);
  return url;
}

static inline const char *plain(const char *path) { return url_of("http", "127.0.0.1", "plain", path); }

/* ---- One call ---- */

struct outcome {
  int dones, heads, pieces; /* events of each type */
  int status, failed;
  beam_error error;
  char *body;
  size_t len;
  char headers[8192]; /* "name: value\n" … */
  beam_http *http;
};

static beam_ctx *ctx;

enum { PATIENCE_MS = 60000 }; /* of who has not come to test a deadline: a machine may be busy */

static inline uint64_t clock_ms(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (uint64_t)at.tv_sec * 1000 + (uint64_t)at.tv_nsec / 1000000;
}

static inline void outcome_add(struct outcome *outcome, const char *data, size_t len) {
  if (len) {
    outcome->body = realloc(outcome->body, outcome->len + len + 1);
    memcpy(outcome->body + outcome->len, data, len);
    outcome->len += len;
    outcome->body[outcome->len] = 0;
  }
}

static inline void outcome_take(void *user, beam_http *http, const beam_http_event *event) {
  struct outcome *outcome = user;
  size_t i, at = 0;
  (void)http;
  outcome->heads += event->type == BEAM_HTTP_HEADERS;
  outcome->pieces += event->type == BEAM_HTTP_DATA;
  outcome->dones += event->type == BEAM_HTTP_DONE;
  outcome->status = event->status;
  outcome_add(outcome, event->data, event->len);
  for (i = 0; i < event->header_count && at < sizeof outcome->headers; i++)
    at += (size_t)snprintf(outcome->headers + at, sizeof outcome->headers - at, "%s: %s\n", event->headers[i].name,
                           event->headers[i].value);
  if (event->error)
    outcome->error = *event->error;
}

static inline int run_until(const int *flag, int wanted, int ms) {
  uint64_t end = clock_ms() + (uint64_t)ms;
  while (*flag < wanted && clock_ms() < end)
    beam_step(ctx, 50);
  return *flag >= wanted;
}

static inline void run_for(int ms) {
  uint64_t end = clock_ms() + (uint64_t)ms;
  while (clock_ms() < end)
    beam_step(ctx, (int)(end - clock_ms()) > 20 ? 20 : 1);
}

/* Runs to the end and frees the exchange; the caller frees outcome.body. */
static inline struct outcome call(beam_http_options options) {
  struct outcome outcome = {0};
  options.user = &outcome;
  if (!options.on_event)
    options.on_event = outcome_take;
  if (!options.connect_timeout_ms)
    options.connect_timeout_ms = PATIENCE_MS;
  outcome.failed = beam_http_start(ctx, &outcome.http, &options, &outcome.error);
  if (outcome.failed)
    return outcome;
  CHECK(run_until(&outcome.dones, 1, PATIENCE_MS));
  beam_step(ctx, 0);
  CHECK_INT(outcome.dones, 1);
  beam_http_free(outcome.http);
  outcome.http = NULL;
  return outcome;
}

static inline struct outcome get(const char *url) {
  beam_http_options options = {.url = url};
  return call(options);
}

static inline int count_of(const char *name) {
  char path[64];
  struct outcome outcome;
  int count;
  snprintf(path, sizeof path, "/count?of=%s", name);
  outcome = get(plain(path));
  count = outcome.body ? atoi(outcome.body) : -1;
  free(outcome.body);
  return count;
}

static inline int open_files(void) {
  DIR *folder = opendir("/proc/self/fd");
  int count = 0;
  while (readdir(folder))
    count++;
  closedir(folder);
  return count;
}

#endif
