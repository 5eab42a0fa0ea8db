/* A server for the tests over TLS: websocket_tls_server.py, for as long as we hold its input open. */
#ifndef BEAM_WEBSOCKET_TLS_FIXTURE_H
#define BEAM_WEBSOCKET_TLS_FIXTURE_H

#include <sys/wait.h>

#include "websocket_fixture.h"

static struct {
  char folder[256];
  unsigned good, wrong, expired, unknown, other, v6, client, resume, resume_old, resume_wrong, demanding, reset, leave,
      stall, hang_up, plain, proxy;
} server;

static pid_t server_pid;
static int server_input;

static inline void read_port(const char *line, const char *name, unsigned *port) {
  size_t len = strlen(name);
  if (strncmp(line, name, len) == 0 && line[len] == '=')
    *port = (unsigned)atoi(line + len + 1);
}

static inline void read_line(const char *line) {
  sscanf(line, "folder=%255s", server.folder);
  read_port(line, "good", &server.good);
  read_port(line, "wrong", &server.wrong);
  read_port(line, "expired", &server.expired);
  read_port(line, "unknown", &server.unknown);
  read_port(line, "other", &server.other);
  read_port(line, "v6", &server.v6);
  read_port(line, "client", &server.client);
  read_port(line, "resume", &server.resume);
  read_port(line, "resume_old", &server.resume_old);
  read_port(line, "resume_wrong", &server.resume_wrong);
  read_port(line, "demanding", &server.demanding);
  read_port(line, "reset", &server.reset);
  read_port(line, "leave", &server.leave);
  read_port(line, "stall", &server.stall);
  read_port(line, "hang_up", &server.hang_up);
  read_port(line, "plain", &server.plain);
  read_port(line, "proxy", &server.proxy);
}

static inline void server_start(void) {
  const char *python = getenv("BEAM_TEST_PYTHON") ? getenv("BEAM_TEST_PYTHON") : "/usr/bin/python3";
  int in[2], out[2];
  char line[512] = "";
  FILE *output;
  if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
    abort();
  server_pid = fork();
  if (server_pid == 0) {
    dup2(in[0], 0);
    dup2(out[1], 1);
    execl(python, python, "tests/core/websocket/websocket_tls_server.py", (char *)NULL);
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  server_input = in[1];
  output = fdopen(out[0], "r");
  while (strcmp(line, "ready\n") && fgets(line, sizeof line, output))
    read_line(line);
  fclose(output);
}

static inline void server_stop(void) {
  close(server_input);
  waitpid(server_pid, NULL, 0);
}

static inline const char *file(const char *name) {
  static char paths[4][300];
  static unsigned next;
  char *path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", server.folder, name);
  return path;
}

static inline void open_tls(client *c, const char *host, unsigned port, beam_ws_options options) {
  char url[128];
  snprintf(url, sizeof url, "wss://%s:%u/", host, port);
  options.url = url;
  if (!options.tls.ca_file && !options.tls.insecure)
    options.tls.ca_file = file("ca.pem");
  client_start(c);
  CHECK_INT(client_open(c, 0, "", options), 0);
}

#endif
