/* A local Beam in a process of its own (tests/embed/host_server.lua), and a host that notes what it is told. */
#ifndef BEAM_HOST_FIXTURE_H
#define BEAM_HOST_FIXTURE_H

#include <poll.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "beamhost.h"
#include "test.h"

enum { PATIENCE_SECONDS = 30 };

/* ---- The server ---- */

static pid_t server_pid;
static int server_input = -1, port, flaky_port;
static char gateway[64], flaky_gateway[64];

static inline int start_server(void) {
  int to[2], from[2];
  char line[64] = "";
  ssize_t len;
  if (pipe(to) || pipe(from))
    return 0;
  server_pid = fork();
  if (server_pid == 0) {
    dup2(to[0], STDIN_FILENO);
    dup2(from[1], STDOUT_FILENO);
    close(to[1]);
    close(from[0]);
    execl("build/beamlua", "beamlua", "tests/embed/host_server.lua", (char *)NULL);
    _exit(127);
  }
  close(to[0]);
  close(from[1]);
  server_input = to[1]; /* the server ends when this does, with the test */
  len = read(from[0], line, sizeof line - 1);
  close(from[0]);
  if (len <= 0 || sscanf(line, "%d %d", &port, &flaky_port) != 2)
    return 0;
  snprintf(gateway, sizeof gateway, "http://127.0.0.1:%d", port);
  snprintf(flaky_gateway, sizeof flaky_gateway, "http://127.0.0.1:%d", flaky_port);
  return 1;
}

static inline void stop_server(void) {
  close(server_input);
  waitpid(server_pid, NULL, 0);
}

/* ---- A host that notes what it is told, a line for each event ---- */

struct notes {
  char text[16384];
  int counts[BEAM_HOST_CLOSED + 1];
  int binary;
  beam_host_error error; /* of the last ERROR or CLOSED event */
  char message[1024];    /* the last one */
  void (*more)(struct notes *notes, beam_host *host, const beam_host_event *event);
  void *user;
};

static inline void note(struct notes *notes, const char *format, ...) {
  size_t used = strlen(notes->text);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(notes->text + used, sizeof notes->text - used, format, arguments);
  va_end(arguments);
}

static inline void on_event(void *user, beam_host *host, const beam_host_event *event) {
  struct notes *notes = user;
  notes->counts[event->type]++;
  if (event->error)
    notes->error = *event->error;
  switch (event->type) {
  case BEAM_HOST_PHASE:
    note(notes, "phase %s\n", event->phase);
    break;
  case BEAM_HOST_OPEN:
    note(notes, "open%s\n", event->again ? " again" : "");
    break;
  case BEAM_HOST_MESSAGE:
    notes->binary = event->binary;
    snprintf(notes->message, sizeof notes->message, "%.*s", (int)event->len, event->data);
    note(notes, "message %s\n", notes->message);
    break;
  case BEAM_HOST_EMIT:
    note(notes, "emit %s %s\n", event->name, event->data);
    break;
  case BEAM_HOST_ERROR:
    note(notes, "error %s %s\n", event->error->hook, event->data ? event->data : "");
    break;
  case BEAM_HOST_CLOSED:
    note(notes, "closed %d\n", event->error->close_code);
    break;
  }
  if (notes->more)
    notes->more(notes, host, event);
}

static inline beam_host *new_host(struct notes *notes, const char *target) {
  beam_host_options options = {.target = target, .token = "token", .gateway = gateway, .seconds = 60};
  beam_host *host;
  memset(notes, 0, sizeof *notes);
  CHECK_INT(beam_host_new(&host, &options, &notes->error), 0);
  beam_host_on(host, on_event, notes);
  return host;
}

static inline int load(beam_host *host, const char *text, beam_host_error *error) {
  return beam_host_load_string(host, text, strlen(text), "test.lua", error);
}

static inline int reload(beam_host *host, const char *text, beam_host_error *error) {
  return beam_host_reload_string(host, text, strlen(text), "next.lua", error);
}

static inline int send_text(beam_host *host, const char *text) {
  return beam_host_send(host, text, strlen(text), NULL);
}

/* Steps until so many events of a type have come; 0: they did not. */
static inline int wait_for(beam_host *host, const struct notes *notes, enum beam_host_event_type type, int count) {
  time_t end = time(NULL) + PATIENCE_SECONDS;
  while (notes->counts[type] < count && time(NULL) < end)
    beam_host_step(host, 100);
  return notes->counts[type] >= count;
}

/* A message there and back. */
static inline int echoes(beam_host *host, struct notes *notes, const char *text) {
  int before = notes->counts[BEAM_HOST_MESSAGE];
  return send_text(host, text) == 0 && wait_for(host, notes, BEAM_HOST_MESSAGE, before + 1) &&
         strcmp(notes->message, text) == 0;
}

#endif
