/* The other end of the benchmarks: one small epoll server that is not part of what is measured.
 *
 *   usage: peer    prints "tcp=PORT ws=PORT" and serves until its standard input ends
 *   tcp     sends back what comes
 *   ws      by path: /echo sends each message back, /hold stays silent, /flood/SIZE/COUNT sends COUNT binary messages
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "websocket/frame.h"
#include "websocket/handshake.h"

enum { IN_SIZE = 16384 };

struct connection {
  int fd, websocket, open;
  char *in;
  size_t in_len;
  char *flood; /* a ready frame */
  size_t flood_len, flood_sent;
  long flood_left;
};

static int listen_on(unsigned *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (bind(fd, (struct sockaddr *)&address, len) || listen(fd, 4096) ||
      getsockname(fd, (struct sockaddr *)&address, &len))
    exit(1);
  *port = ntohs(address.sin_port);
  return fd;
}

static void send_all(int fd, const char *data, size_t len) {
  while (len) {
    ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
      return;
    if (sent > 0) {
      data += sent;
      len -= (size_t)sent;
    }
  }
}

static void start_flood(struct connection *connection, const char *path) {
  size_t size = 0;
  if (sscanf(path, "/flood/%zu/%ld", &size, &connection->flood_left) != 2)
    return;
  connection->flood = calloc(1, size + BEAM__FRAME_HEAD_MAX);
  connection->flood_len = beam__frame_head((uint8_t *)connection->flood, BEAM__BINARY, 1, size, NULL) + size;
}

static void on_request(struct connection *connection) {
  char answer[256], accept[BEAM__ACCEPT_SIZE], key[BEAM__KEY_SIZE] = "", path[128] = "";
  const char *line = strcasestr(connection->in, "sec-websocket-key:");
  sscanf(connection->in, "GET %127s", path);
  if (line)
    sscanf(line + 18, " %24s", key);
  beam__handshake_accept(key, accept);
  snprintf(answer, sizeof answer,
           "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
           "%s\r\n\r\n",
           accept);
  send_all(connection->fd, answer, strlen(answer));
  connection->open = 1;
  connection->in_len = 0;
  start_flood(connection, path);
}

/* Sends back each whole frame in the buffer. */
static void echo_frames(struct connection *connection) {
  size_t at = 0;
  while (connection->in_len - at >= 6) {
    uint8_t *frame = (uint8_t *)connection->in + at, head[BEAM__FRAME_HEAD_MAX];
    size_t head_len = 6, len = frame[1] & 0x7f;
    if (len == 126) {
      len = (size_t)frame[2] << 8 | frame[3];
      head_len = 8;
    }
    if (connection->in_len - at < head_len + len)
      break;
    beam__mask(frame + head_len, frame + head_len, len, frame + head_len - 4);
    size_t out = beam__frame_head(head, frame[0] & 15, 1, len, NULL);
    memcpy(frame + head_len - out, head, out);
    send_all(connection->fd, (char *)frame + head_len - out, out + len);
    at += head_len + len;
  }
  memmove(connection->in, connection->in + at, connection->in_len - at);
  connection->in_len -= at;
}

static void flood(int epoll, struct connection *connection) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  while (connection->flood_left > 0) {
    ssize_t sent = send(connection->fd, connection->flood + connection->flood_sent,
                        connection->flood_len - connection->flood_sent, MSG_NOSIGNAL);
    if (sent < 0) {
      event.events |= EPOLLOUT;
      break;
    }
    connection->flood_sent += (size_t)sent;
    if (connection->flood_sent == connection->flood_len) {
      connection->flood_sent = 0;
      connection->flood_left--;
    }
  }
  epoll_ctl(epoll, EPOLL_CTL_MOD, connection->fd, &event);
}

static void drop(struct connection *connection) {
  close(connection->fd);
  free(connection->in);
  free(connection->flood);
  free(connection);
}

static void on_readable(int epoll, struct connection *connection) {
  if (!connection->in)
    connection->in = malloc(IN_SIZE + 1);
  ssize_t got = recv(connection->fd, connection->in + connection->in_len, IN_SIZE - connection->in_len, 0);
  if (got == 0 || (got < 0 && errno != EAGAIN)) {
    drop(connection);
    return;
  }
  if (got < 0)
    return;
  if (!connection->websocket) {
    send_all(connection->fd, connection->in, (size_t)got);
    return;
  }
  connection->in_len += (size_t)got;
  connection->in[connection->in_len] = 0;
  if (connection->open)
    echo_frames(connection);
  else if (strstr(connection->in, "\r\n\r\n"))
    on_request(connection);
  if (connection->in_len == 0) {
    free(connection->in);
    connection->in = NULL;
  }
  if (connection->flood_left > 0)
    flood(epoll, connection);
}

static void on_accept(int epoll, int listener, int websocket) {
  int fd, one = 1;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    struct connection *connection = calloc(1, sizeof *connection);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    connection->fd = fd;
    connection->websocket = websocket;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  }
}

int main(void) {
  static int tcp, ws, input;
  unsigned tcp_port, ws_port;
  struct epoll_event events[64], event = {.events = EPOLLIN};
  int epoll = epoll_create1(0);
  tcp = listen_on(&tcp_port);
  ws = listen_on(&ws_port);
  event.data.ptr = &tcp;
  epoll_ctl(epoll, EPOLL_CTL_ADD, tcp, &event);
  event.data.ptr = &ws;
  epoll_ctl(epoll, EPOLL_CTL_ADD, ws, &event);
  event.data.ptr = &input;
  epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &event);
  printf("tcp=%u ws=%u\n", tcp_port, ws_port);
  fflush(stdout);
  for (;;) {
    int count = epoll_wait(epoll, events, 64, -1);
    for (int i = 0; i < count; i++) {
      void *who = events[i].data.ptr;
      if (who == &input)
        return 0;
      if (who == &tcp || who == &ws)
        on_accept(epoll, who == &tcp ? tcp : ws, who == &ws);
      else if (events[i].events & EPOLLOUT)
        flood(epoll, who);
      else
        on_readable(epoll, who);
    }
  }
}
