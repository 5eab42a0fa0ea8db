/* A proxy that grants every CONNECT, in a thread: whoever needs a way through one has it in two calls. */
#ifndef BEAM_PROXY_FIXTURE_H
#define BEAM_PROXY_FIXTURE_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PROXY_PAIRS = 64, PROXY_PIECE = 65536 };

typedef struct proxy_pair {
  int near, far; /* far -1: the request has not come yet */
} proxy_pair;

typedef struct proxy {
  int listener;
  unsigned port;
  pthread_t thread;
  atomic_int serving;
  proxy_pair pairs[PROXY_PAIRS];
  int count;
} proxy;

static inline int proxy_at_once(int fd) {
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

static inline int proxy_dial(unsigned port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
    return proxy_at_once(fd);
  close(fd);
  return -1;
}

static inline int proxy_grant(proxy_pair *pair, const char *head) {
  static const char granted[] = "HTTP/1.1 200 Connection established\r\n\r\n";
  const char *colon = strchr(head, ':');
  if (strncmp(head, "CONNECT ", 8) != 0 || !colon || (pair->far = proxy_dial((unsigned)atoi(colon + 1))) < 0)
    return -1;
  return send(pair->near, granted, sizeof granted - 1, MSG_NOSIGNAL) > 0 ? 0 : -1;
}

static inline int proxy_copy(int from, int to) {
  static char piece[PROXY_PIECE];
  ssize_t sent = 0, len = recv(from, piece, sizeof piece, 0);
  while (len > 0 && sent < len) {
    ssize_t more = send(to, piece + sent, (size_t)(len - sent), MSG_NOSIGNAL);
    if (more <= 0)
      return -1;
    sent += more;
  }
  return len > 0 ? 0 : -1;
}

/* The request's head is looked at until it is whole. */
static inline int proxy_first(proxy_pair *pair) {
  char head[2048];
  ssize_t len = recv(pair->near, head, sizeof head - 1, MSG_PEEK);
  const char *end;
  if (len <= 0)
    return -1;
  head[len] = '\0';
  end = strstr(head, "\r\n\r\n");
  if (!end)
    return len < (ssize_t)sizeof head - 1 ? 0 : -1;
  len = recv(pair->near, head, (size_t)(end + 4 - head), 0);
  return len > 0 ? proxy_grant(pair, head) : -1;
}

static inline void proxy_end(proxy *p, int at) {
  close(p->pairs[at].near);
  if (p->pairs[at].far >= 0)
    close(p->pairs[at].far);
  p->pairs[at] = p->pairs[--p->count];
}

static inline void *proxy_run(void *argument) {
  proxy *p = argument;
  atomic_store(&p->serving, 1);
  for (;;) {
    struct pollfd wanted[1 + 2 * PROXY_PAIRS];
    int i;
    wanted[0] = (struct pollfd){p->listener, p->count < PROXY_PAIRS ? POLLIN : 0, 0};
    for (i = 0; i < p->count; i++) {
      wanted[1 + 2 * i] = (struct pollfd){p->pairs[i].near, POLLIN, 0};
      wanted[2 + 2 * i] = (struct pollfd){p->pairs[i].far, POLLIN, 0};
    }
    if (poll(wanted, (nfds_t)(1 + 2 * p->count), -1) < 0)
      continue;
    for (i = p->count - 1; i >= 0; i--) {
      proxy_pair *pair = &p->pairs[i];
      int bad = 0;
      if (wanted[1 + 2 * i].revents)
        bad = pair->far < 0 ? proxy_first(pair) : proxy_copy(pair->near, pair->far);
      if (!bad && pair->far >= 0 && wanted[2 + 2 * i].revents)
        bad = proxy_copy(pair->far, pair->near);
      if (bad)
        proxy_end(p, i);
    }
    if (wanted[0].revents & (POLLHUP | POLLERR))
      return NULL; /* shut down */
    if (wanted[0].revents & POLLIN) {
      int fd = accept(p->listener, NULL, NULL);
      if (fd >= 0)
        p->pairs[p->count++] = (proxy_pair){proxy_at_once(fd), -1};
    }
  }
}

/* Its thread is past its beginning when this returns: a child of fork() would wait for the locks of that for ever. */
static inline void proxy_start(proxy *p) {
  struct sockaddr_in at = {.sin_family = AF_INET};
  socklen_t len = sizeof at;
  memset(p, 0, sizeof *p);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(p->listener, (struct sockaddr *)&at, sizeof at) || listen(p->listener, 64) ||
      getsockname(p->listener, (struct sockaddr *)&at, &len) || pthread_create(&p->thread, NULL, proxy_run, p))
    abort();
  while (!atomic_load(&p->serving))
    sched_yield();
  p->port = ntohs(at.sin_port);
}

static inline void proxy_stop(proxy *p) {
  shutdown(p->listener, SHUT_RDWR);
  pthread_join(p->thread, NULL);
  while (p->count)
    proxy_end(p, p->count - 1);
  close(p->listener);
}

#endif
