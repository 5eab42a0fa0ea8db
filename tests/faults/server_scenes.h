/* The local Beam's half in C while something fails: a client that allocates nothing asks it, in a thread: a call, a
 * call with a body, a stream, a session. Each request is answered, or its connection ends; the server goes on. */
#ifndef BEAM_FAULT_SERVER_SCENES_H
#define BEAM_FAULT_SERVER_SCENES_H

#include <pthread.h>

#include "client_scenes.h"

typedef struct asking {
  unsigned port;
  int pipe[2]; /* the port; then what came of each request, a byte each */
} asking;

static int send_whole(int fd, const char *text, size_t len) {
  while (len) {
    ssize_t sent = send(fd, text, len, MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR)
      return -1;
    text += sent > 0 ? sent : 0;
    len -= sent > 0 ? (size_t)sent : 0;
  }
  return 0;
}

/* Sends, and reads until the connection ends or the answer's last bytes have come. */
static char ask_once(unsigned port, const char *request, const char *last) {
  char answer[8192];
  size_t used = 0, len = strlen(last);
  int fd = proxy_dial(port);
  struct timeval patience = {20, 0};
  if (fd < 0)
    return 'c';
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (send_whole(fd, request, strlen(request)))
    return close(fd), 'e';
  for (;;) {
    ssize_t more = recv(fd, answer + used, sizeof answer - used, 0);
    if (more < 0 && errno == EINTR)
      continue;
    if (more <= 0)
      return close(fd), more < 0 && errno == EAGAIN ? 'h' : 'e'; /* a hang; an end */
    used += (size_t)more;
    if (used > sizeof answer / 2) /* what is looked for comes last */
      memmove(answer, answer + used - 64, 64), used = 64;
    if (memmem(answer, used, last, len))
      return close(fd), 'a';
    if (strncmp(answer, "HTTP/1.1 503", 12) == 0)
      return close(fd), 'm';
  }
}

/* However few bytes come at a time. 0: it was told. */
static int hear_port(int fd, unsigned *port) {
  size_t used = 0;
  while (used < sizeof *port) {
    ssize_t more = recv(fd, (char *)port + used, sizeof *port - used, 0);
    if (!more || (more < 0 && errno != EINTR))
      return -1;
    used += more > 0 ? (size_t)more : 0;
  }
  return 0;
}

static void *ask_all(void *argument) {
  static const char *const asked[][2] = {
      {"GET /call HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\n"},
      {"POST /call HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n{\"a\":1}", "{\"a\":1}"},
      {"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n", "0\r\n\r\n"},
      {"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\x82\1\2\3\4ik\x88\x80\1\2\3\4",
       "\x81\x02hi\x88"},
  };
  asking *a = argument;
  size_t i;
  unsigned port;
  if (hear_port(a->pipe[0], &port))
    return NULL;
  for (i = 0; port && i < sizeof asked / sizeof *asked; i++) {
    char came = ask_once(port, asked[i][0], asked[i][1]);
    while (send(a->pipe[0], &came, 1, MSG_NOSIGNAL) != 1)
      if (errno != EINTR)
        return NULL;
  }
  shutdown(a->pipe[0], SHUT_WR);
  return NULL;
}

/* Steps until the client is through. */
static void serve_asking(beam_ctx *ctx, asking *a, outcome *to) {
  long long end = scene_now() + SCENE_MS;
  char came = 0;
  ssize_t len = -1;
  while (scene_now() < end && (len = recv(a->pipe[1], &came, 1, MSG_DONTWAIT)) != 0) {
    if (len < 0)
      beam_step(ctx, 5);
    else if (came == 'h')
      wrong(to, "a request got no answer, and its connection no end");
    else if (came != 'a')
      ended_with(to, BEAM_ENO_MEMORY, NULL);
  }
  if (len != 0)
    wrong(to, "the client was not served to the end");
}

/* Whole, whatever fails. */
static void tell_port(asking *a, unsigned port) {
  int kind = shared->fault.kind;
  shared->fault.kind = FAULT_NONE;
  if (send(a->pipe[1], &port, sizeof port, MSG_NOSIGNAL) != sizeof port)
    abort();
  shared->fault.kind = kind;
}

static void play_server(outcome *to) {
  beam_server_options options = {.on_request = peer_on_request};
  beam_server *server = NULL;
  beam_error error;
  asking a = {0, {-1, -1}};
  pthread_t thread;
  unsigned port = 0;
  beam_ctx *ctx;
  int code;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, a.pipe) || pthread_create(&thread, NULL, ask_all, &a))
    abort();
  arm_now();
  code = beam_new(&ctx, NULL);
  ended_with(to, code, NULL);
  if (!code) {
    code = beam_server_listen(ctx, &server, &options, &error);
    ended_with(to, code, code ? &error : NULL);
  }
  if (!code)
    port = beam_server_port(server);
  tell_port(&a, port);
  if (!code)
    serve_asking(ctx, &a, to);
  beam_close(ctx);
  shutdown(a.pipe[1], SHUT_RDWR);
  shared->fault.kind = FAULT_NONE;
  pthread_join(thread, NULL);
}

static const scene server_scene = {"a server", play_server, 1, 0};

#endif
