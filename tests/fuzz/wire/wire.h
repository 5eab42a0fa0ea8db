/* Fuzzing what speaks over a socket: one process plays both ends. The input is a script of what the other end does and
 * what the program does meanwhile; each number of it is a byte. */
#ifndef WIRE_H
#define WIRE_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "beam.h"

#define HOLDS(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                                  \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- The script ---- */

typedef struct script {
  const uint8_t *at, *end;
} script;

static inline unsigned next_byte(script *s) { return s->at < s->end ? *s->at++ : 0; }

/* The next bytes, as many as the next byte says, or what is left. */
static inline const uint8_t *next_bytes(script *s, size_t *len) {
  const uint8_t *bytes;
  *len = next_byte(s);
  if (*len > (size_t)(s->end - s->at))
    *len = (size_t)(s->end - s->at);
  bytes = s->at;
  s->at += *len;
  return bytes;
}

/* ---- The other end ---- */

/* An address of loopback for each input: their connections do not come into each other's way while the system keeps
 * the closed ones. */
static inline const char *next_loopback(void) {
  static unsigned count;
  static char text[24];
  count = count % 0xFFFFF0 + 1;
  snprintf(text, sizeof text, "127.%u.%u.%u", count >> 16, count >> 8 & 255, count & 255);
  return text;
}

static inline struct sockaddr_in loopback(const char *host, unsigned port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  HOLDS(inet_pton(AF_INET, host, &address.sin_addr) == 1);
  return address;
}

/* A listener at every address of the machine; its port. */
static inline int listen_anywhere(unsigned *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
  socklen_t size = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  HOLDS(fd >= 0 && !bind(fd, (struct sockaddr *)&address, size) && !listen(fd, 16));
  HOLDS(!getsockname(fd, (struct sockaddr *)&address, &size));
  *port = ntohs(address.sin_port);
  return fd;
}

static inline void peer_send(int fd, const void *bytes, size_t len) {
  if (fd >= 0 && len > 0 && send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
    HOLDS(errno == EPIPE || errno == ECONNRESET || errno == EAGAIN || errno == ENOTCONN);
}

/* What is there, at most `size` bytes; the rest stays. */
static inline size_t peer_read(int fd, void *to, size_t size) {
  ssize_t got = fd >= 0 ? recv(fd, to, size, MSG_DONTWAIT) : 0;
  return got > 0 ? (size_t)got : 0;
}

/* By a reset, so that the system keeps nothing of it. */
static inline void peer_reset(int *fd) {
  struct linger linger = {1, 0};
  if (*fd < 0)
    return;
  setsockopt(*fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  close(*fd);
  *fd = -1;
}

/* A context that lasts for some inputs: what it keeps from one to the next is part of what is tried, and what it never
 * gives back is seen when it ends. */
static inline beam_ctx *shared_context(void (*before_close)(void)) {
  static beam_ctx *ctx;
  static unsigned uses;
  if (ctx && ++uses % 256 == 0) {
    if (before_close)
      before_close();
    beam_close(ctx);
    ctx = NULL;
  }
  if (!ctx)
    HOLDS(beam_new(&ctx, NULL) == 0);
  return ctx;
}

#endif
