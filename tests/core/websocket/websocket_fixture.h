/* What the tests of the WebSocket share: a peer in a thread that says exactly what the test makes it say, and a client
 * that writes down what happens to it. */
#ifndef BEAM_WEBSOCKET_FIXTURE_H
#define BEAM_WEBSOCKET_FIXTURE_H

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "beam-server.h"
#include "beam.h"
#include "test.h"
#include "websocket/handshake.h"

enum { DEADLINE_MS = 60000, READ_MAX = 16384 };

static inline long long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline void sleep_ms(int ms) { usleep((useconds_t)ms * 1000); }

/* ---- The peer: each connection has a thread, which runs the test's function ---- */

typedef struct peer {
  int listener;
  unsigned port;
  void (*serve)(int fd, const char *target);
  pthread_t thread;
  int connections; /* accepted so far */
  int bare;        /* no request is read: `serve` is called with what was accepted */
} peer;

typedef struct peer_call {
  peer *peer;
  int fd;
} peer_call;

static char peer_request[READ_MAX];           /* the head of the last request */
static _Thread_local const char *own_request; /* of the connection that this thread serves */

static inline int read_all(int fd, void *to, size_t len) {
  char *at = to;
  while (len) {
    ssize_t got = recv(fd, at, len, 0);
    if (got <= 0)
      return -1;
    at += got;
    len -= (size_t)got;
  }
  return 0;
}

static inline int write_all(int fd, const void *from, size_t len) {
  const char *at = from;
  while (len) {
    ssize_t put = send(fd, at, len, MSG_NOSIGNAL);
    if (put <= 0)
      return -1;
    at += put;
    len -= (size_t)put;
  }
  return 0;
}

static inline int write_text(int fd, const char *text) { return write_all(fd, text, strlen(text)); }

/* Reads a head byte by byte, so that nothing behind it is taken. */
static inline int read_head(int fd, char *head, size_t size) {
  size_t len = 0;
  while (len + 1 < size && read_all(fd, head + len, 1) == 0) {
    head[++len] = 0;
    if (len >= 4 && strcmp(head + len - 4, "\r\n\r\n") == 0)
      return 0;
  }
  return -1;
}

static int peers_serving; /* threads; they are nobody's to join, as some wait for ever */

static void *peer_serve(void *argument) {
  peer_call call = *(peer_call *)argument;
  char head[READ_MAX], target[256] = "";
  free(argument);
  if (!call.peer->bare && read_head(call.fd, head, sizeof head) == 0) {
    memcpy(peer_request, head, sizeof head);
    own_request = head;
    sscanf(head, "GET %255s", target);
  }
  if (call.peer->bare || *target)
    call.peer->serve(call.fd, target);
  close(call.fd);
  OPENSSL_thread_stop(); /* a process that ends now would leave what the library keeps for this thread */
  __atomic_sub_fetch(&peers_serving, 1, __ATOMIC_SEQ_CST);
  return NULL;
}

static void *peer_accept(void *argument) {
  peer *p = argument;
  for (;;) {
    pthread_t thread;
    peer_call *call;
    int one = 1, fd = accept(p->listener, NULL, NULL);
    if (fd < 0)
      return NULL;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    call = malloc(sizeof *call);
    *call = (peer_call){p, fd};
    __atomic_add_fetch(&p->connections, 1, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&peers_serving, 1, __ATOMIC_SEQ_CST);
    pthread_create(&thread, NULL, peer_serve, call);
    pthread_detach(thread);
  }
}

static inline int listen_on(const char *address, unsigned *port, int backlog) {
  struct sockaddr_storage any = {0};
  struct sockaddr_in *v4 = (struct sockaddr_in *)&any;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&any;
  int one = 1, is_v6 = strchr(address, ':') != NULL,
      fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  socklen_t len = is_v6 ? sizeof *v6 : sizeof *v4;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  any.ss_family = is_v6 ? AF_INET6 : AF_INET;
  inet_pton(any.ss_family, address, is_v6 ? (void *)&v6->sin6_addr : (void *)&v4->sin_addr);
  v4->sin_port = htons((uint16_t)*port); /* at the same place in both */
  if (bind(fd, (struct sockaddr *)&any, len) || listen(fd, backlog) || getsockname(fd, (struct sockaddr *)&any, &len)) {
    close(fd);
    return -1;
  }
  *port = ntohs(v4->sin_port);
  return fd;
}

static inline void peer_start_at(peer *p, const char *address, void (*serve)(int fd, const char *target)) {
  p->serve = serve;
  p->listener = listen_on(address, &p->port, 128);
  if (p->listener < 0 || pthread_create(&p->thread, NULL, peer_accept, p))
    abort();
}

static inline void peer_start(peer *p, void (*serve)(int fd, const char *target)) {
  memset(p, 0, sizeof *p);
  peer_start_at(p, "127.0.0.1", serve);
}

static inline void peer_stop(peer *p) {
  int patience = 100; /* ms, for threads that are about to end */
  shutdown(p->listener, SHUT_RDWR);
  pthread_join(p->thread, NULL);
  close(p->listener);
  while (__atomic_load_n(&peers_serving, __ATOMIC_SEQ_CST) && patience--)
    usleep(1000);
}

/* Hears what the other side says, and answers nothing. */
static inline void wait_for_end(int fd) {
  char bytes[256];
  while (recv(fd, bytes, sizeof bytes, 0) > 0)
    continue;
}

/* ---- What a peer says ---- */

static inline void peer_accept_upgrade(int fd, const char *further) {
  char key[64] = "", accept[BEAM__ACCEPT_SIZE], head[1024];
  const char *at = strstr(own_request, "Sec-WebSocket-Key: ");
  if (at)
    sscanf(at, "Sec-WebSocket-Key: %63s", key);
  beam__handshake_accept(key, accept);
  snprintf(head, sizeof head,
           "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Accept: %s\r\n%s\r\n",
           accept, further);
  write_text(fd, head);
}

static inline size_t frame_head(unsigned char head[10], int first, size_t len) {
  int i;
  head[0] = (unsigned char)first;
  if (len < 126) {
    head[1] = (unsigned char)len;
    return 2;
  }
  if (len < 65536) {
    head[1] = 126, head[2] = (unsigned char)(len >> 8), head[3] = (unsigned char)len;
    return 4;
  }
  head[1] = 127;
  for (i = 0; i < 8; i++)
    head[2 + i] = (unsigned char)(len >> (56 - 8 * i));
  return 10;
}

/* `first`: the first byte, 0x81 for a whole text. */
static inline int write_frame(int fd, int first, const void *data, size_t len) {
  unsigned char head[10];
  return write_all(fd, head, frame_head(head, first, len)) || write_all(fd, data, len);
}

static inline int write_message(int fd, const char *text) { return write_frame(fd, 0x81, text, strlen(text)); }

static inline int write_close(int fd, int code, const char *reason) {
  unsigned char payload[125] = {(unsigned char)(code >> 8), (unsigned char)code};
  memcpy(payload + 2, reason, strlen(reason));
  return write_frame(fd, 0x88, payload, 2 + strlen(reason));
}

typedef struct frame {
  int first;
  size_t len;
  unsigned char *data; /* unmasked, NUL-terminated; to be freed */
} frame;

/* -1: the connection ended, or the frame was not masked. */
static inline int read_frame(int fd, frame *f) {
  unsigned char head[14];
  size_t i;
  memset(f, 0, sizeof *f);
  if (read_all(fd, head, 2) || !(head[1] & 0x80))
    return -1;
  f->first = head[0];
  f->len = head[1] & 0x7F;
  if (f->len == 126 && read_all(fd, head + 2, 2) == 0)
    f->len = (size_t)head[2] << 8 | head[3];
  else if (f->len == 127 && read_all(fd, head + 2, 8) == 0)
    for (f->len = 0, i = 2; i < 10; i++)
      f->len = f->len << 8 | head[i];
  f->data = malloc(f->len + 1);
  if (read_all(fd, head, 4) || read_all(fd, f->data, f->len)) {
    free(f->data);
    f->data = NULL;
    return -1;
  }
  for (i = 0; i < f->len; i++)
    f->data[i] ^= head[i % 4];
  f->data[f->len] = 0;
  return 0;
}

/* Reads frames until a close frame, answers it; returns its code, 1005 for none in it, 1006 if none came. */
static inline int read_close(int fd) {
  frame f;
  int code = 1006;
  while (code == 1006 && read_frame(fd, &f) == 0) {
    if (f.first == 0x88)
      code = f.len >= 2 ? f.data[0] << 8 | f.data[1] : 1005;
    if (f.first == 0x88)
      write_frame(fd, 0x88, f.data, f.len);
    free(f.data);
  }
  return code;
}

/* The echo that most tests talk to: text and binary come back, a close is answered. */
static inline void serve_echo(int fd, const char *target) {
  frame f;
  int going = 1;
  (void)target;
  peer_accept_upgrade(fd, "");
  while (going && read_frame(fd, &f) == 0) {
    going = f.first != 0x88;
    if (f.first == 0x89)
      write_frame(fd, 0x8A, f.data, f.len);
    else
      write_frame(fd, f.first, f.data, f.len);
    free(f.data);
  }
}

static inline void reset_on_close(int fd) {
  struct linger now = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

/* ---- The client ---- */

typedef struct client {
  beam_ctx *ctx;
  beam_ws *ws;
  char log[4096]; /* what happened, a word or two each */
  int opened, messages, pings, pongs, drained, closed, events_after_close;
  size_t bytes;   /* of all messages */
  char last[256]; /* the beginning of the last message */
  int code, status;
  char reason[128];
  int failed; /* the terminal event had an error */
  beam_error error;
  char headers[2048]; /* "name: value\n" of open or of a rejection */
  char body[1024];
  size_t body_len;
  void (*hook)(struct client *c, const beam_ws_event *event); /* after it was written down */
} client;

static inline void note(client *c, const char *format, ...) {
  size_t used = strlen(c->log);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(c->log + used, sizeof c->log - used, format, arguments);
  va_end(arguments);
}

static inline void note_headers(client *c, const beam_ws_event *event) {
  size_t i, used = 0;
  for (i = 0; i < event->header_count && used < sizeof c->headers; i++)
    used += (size_t)snprintf(c->headers + used, sizeof c->headers - used, "%s: %s\n", event->headers[i].name,
                             event->headers[i].value);
}

static inline void note_closed(client *c, const beam_ws_event *event) {
  c->closed++;
  c->code = event->code;
  c->status = event->status;
  snprintf(c->reason, sizeof c->reason, "%s", event->reason ? event->reason : "(null)");
  c->failed = event->error != NULL;
  if (event->error)
    c->error = *event->error;
  note_headers(c, event);
  c->body_len = event->len;
  snprintf(c->body, sizeof c->body, "%.*s", (int)event->len, event->data ? event->data : "");
  note(c, "closed ");
}

static void on_client_event(void *user, beam_ws *ws, const beam_ws_event *event) {
  client *c = user;
  (void)ws;
  c->events_after_close += c->closed > 0;
  switch (event->type) {
  case BEAM_WS_PHASE:
    note(c, "%s ", beam_phase_name(event->phase));
    break;
  case BEAM_WS_OPEN:
    c->opened++;
    c->status = event->status;
    note_headers(c, event);
    break;
  case BEAM_WS_MESSAGE:
    c->messages++;
    c->bytes += event->len;
    snprintf(c->last, sizeof c->last, "%.*s", (int)(event->len < 255 ? event->len : 255),
             event->data ? event->data : "");
    break;
  case BEAM_WS_PING:
    c->pings++;
    break;
  case BEAM_WS_PONG:
    c->pongs++;
    break;
  case BEAM_WS_DRAINED:
    c->drained++;
    break;
  case BEAM_WS_CLOSED:
    note_closed(c, event);
    break;
  }
  if (c->hook)
    c->hook(c, event);
}

static inline void client_start(client *c) {
  memset(c, 0, sizeof *c);
  if (beam_new(&c->ctx, NULL))
    abort();
}

/* Opens ws://127.0.0.1:port/path with further options. */
static inline int client_open(client *c, unsigned port, const char *path, beam_ws_options options) {
  char url[256];
  snprintf(url, sizeof url, "ws://127.0.0.1:%u%s", port, path);
  if (!options.url)
    options.url = url;
  options.on_event = on_client_event;
  options.user = c;
  if (!options.connect_timeout_ms)
    options.connect_timeout_ms = DEADLINE_MS;
  return beam_ws_open(c->ctx, &c->ws, &options, &c->error);
}

static inline void client_end(client *c) {
  beam_ws_free(c->ws);
  beam_close(c->ctx);
  CHECK_INT(c->events_after_close, 0);
}

/* Steps until *counter reaches `want`; 0 when it took too long. */
static inline int wait_for(client *c, const int *counter, int want) {
  long long end = now_ms() + DEADLINE_MS;
  while (*counter < want && now_ms() < end)
    beam_step(c->ctx, 20);
  return *counter >= want;
}

static inline void step_for(client *c, int ms) {
  long long end = now_ms() + ms;
  while (now_ms() < end)
    beam_step(c->ctx, 5);
}

static inline int open_descriptors(void) {
  DIR *folder = opendir("/proc/self/fd");
  int count = 0;
  while (folder && readdir(folder))
    count++;
  if (folder)
    closedir(folder);
  return count;
}

/* Once the peers of the tests before have gone: the same number for a while. */
static inline int descriptors_at_rest(void) {
  int i, same = 0, count = open_descriptors();
  for (i = 0; i < 1000 && same < 10; i++) {
    int before = count;
    sleep_ms(20);
    count = open_descriptors();
    same = count == before ? same + 1 : 0;
  }
  return count;
}

/* Waits until no more are open than there were: the peers' threads have theirs for a moment yet. */
static inline void check_descriptors(int wanted) {
  int i;
  for (i = 0; i < DEADLINE_MS / 5 && open_descriptors() > wanted; i++)
    sleep_ms(5);
  CHECK(open_descriptors() <= wanted);
}

#endif
