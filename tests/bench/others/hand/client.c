#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

static SSL_CTX *secure;

static void fail(const char *what) {
  fprintf(stderr, "hand: %s\n", what);
  exit(1);
}

/* ---- TLS ---- */

static void prepare_tls(const char *ca_file) {
  secure = SSL_CTX_new(TLS_client_method());
  if (SSL_CTX_load_verify_locations(secure, ca_file, NULL) != 1)
    fail("no certificates to trust");
  SSL_CTX_set_verify(secure, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_read_ahead(secure, 1); /* a record is one recv, not two */
}

static void secure_connection(struct client *client, const char *ca_file) {
  if (!secure)
    prepare_tls(ca_file);
  client->tls = SSL_new(secure);
  SSL_set_fd(client->tls, client->fd);
  SSL_set_tlsext_host_name(client->tls, "localhost");
  SSL_set1_host(client->tls, "localhost");
  if (SSL_connect(client->tls) != 1)
    fail("TLS");
}

/* ---- Bytes ---- */

static void wait_for(struct client *client, short events) {
  struct pollfd ready = {.fd = client->fd, .events = events};
  poll(&ready, 1, -1);
}

void client_write(struct client *client, const void *data, size_t len) {
  const char *from = data;
  while (len) {
    long done = client->tls ? SSL_write(client->tls, from, (int)len) : send(client->fd, from, len, MSG_NOSIGNAL);
    if (done > 0) {
      from += done;
      len -= (size_t)done;
    } else if (!client->tls && errno != EAGAIN) {
      fail("the peer is gone");
    } else {
      wait_for(client, POLLOUT);
    }
  }
}

/* Bytes that came, 0: none now, negative: the end. */
static long read_some(struct client *client) {
  uint8_t *to = client->in + client->in_end;
  size_t room = client->in_size - client->in_end;
  long came = client->tls ? SSL_read(client->tls, to, (int)room) : recv(client->fd, to, room, 0);
  if (came > 0)
    client->in_end += (size_t)came;
  else if (client->tls)
    return SSL_get_error(client->tls, (int)came) == SSL_ERROR_WANT_READ ? 0 : -1;
  else
    return came < 0 && errno == EAGAIN ? 0 : -1;
  return came;
}

/* ---- Frames ---- */

/* Masks differ, as a browser's do; that they cannot be guessed is not what is measured. */
static uint32_t next_mask(void) {
  static uint32_t state;
  while (!state)
    if (getrandom(&state, sizeof state, 0) < 0)
      fail("getrandom");
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

size_t client_frame(uint8_t *frame, int opcode, const void *payload, size_t len) {
  uint32_t mask = next_mask();
  uint64_t wide = (uint64_t)mask << 32 | mask;
  size_t head = 2, i;
  frame[0] = (uint8_t)(0x80 | opcode);
  if (len < 126) {
    frame[1] = (uint8_t)(0x80 | len);
  } else {
    frame[1] = 0x80 | 126;
    frame[2] = (uint8_t)(len >> 8);
    frame[3] = (uint8_t)len;
    head = 4;
  }
  memcpy(frame + head, &mask, 4);
  head += 4;
  for (i = 0; i + 8 <= len; i += 8) {
    uint64_t eight;
    memcpy(&eight, (const uint8_t *)payload + i, 8);
    eight ^= wide;
    memcpy(frame + head + i, &eight, 8);
  }
  for (; i < len; i++)
    frame[head + i] = ((const uint8_t *)payload)[i] ^ ((uint8_t *)&mask)[i & 3];
  return head + len;
}

/* Hands on the whole messages that came. */
static void hand_on(struct client *client, void (*on_message)(const uint8_t *data, size_t len)) {
  uint8_t *at = client->in + client->in_at, *end = client->in + client->in_end;
  while (end - at >= 2) {
    size_t head = 2, len = at[1];
    if (len == 126) {
      if (end - at < 4)
        break;
      len = (size_t)at[2] << 8 | at[3];
      head = 4;
    } else if (len == 127) {
      if (end - at < 10)
        break;
      len = (size_t)at[6] << 24 | (size_t)at[7] << 16 | (size_t)at[8] << 8 | at[9];
      head = 10;
    }
    if ((size_t)(end - at) < head + len)
      break;
    if ((at[0] & 15) < 8)
      on_message(at + head, len);
    at += head + len;
  }
  client->in_at = (size_t)(at - client->in);
  if (client->in_at == client->in_end) {
    client->in_at = client->in_end = 0;
  } else if (client->in_size - client->in_end < client->in_size / 2) {
    memmove(client->in, at, (size_t)(end - at));
    client->in_end = (size_t)(end - at);
    client->in_at = 0;
  }
}

int client_read(struct client *client, void (*on_message)(const uint8_t *data, size_t len)) {
  struct epoll_event event;
  long came;
  if (!client->more || !SSL_has_pending(client->tls))
    epoll_wait(client->epoll, &event, 1, -1);
  came = read_some(client);
  client->more = client->tls && came > 0;
  hand_on(client, on_message);
  return came >= 0;
}

/* ---- The way there ---- */

static void upgrade(struct client *client, const char *path) {
  char request[512];
  int len = snprintf(request, sizeof request,
                     "GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                     path);
  client_write(client, request, (size_t)len);
  for (;;) {
    uint8_t *end = client->in_end ? memmem(client->in, client->in_end, "\r\n\r\n", 4) : NULL;
    if (end) { /* a peer that floods may have filled the buffer behind it: what came with it makes room */
      client->in_end -= (size_t)(end + 4 - client->in);
      memmove(client->in, end + 4, client->in_end);
      return;
    }
    if (read_some(client) < 0)
      fail("no upgrade");
  }
}

void client_open(struct client *client, const char *url, const char *ca_file, size_t size_max) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct epoll_event event = {.events = EPOLLIN};
  int one = 1, port = 0;
  char path[128] = "/";
  sscanf(strrchr(url, ':') + 1, "%d%127s", &port, path);
  address.sin_port = htons((uint16_t)port);
  client->fd = socket(AF_INET, SOCK_STREAM, 0);
  client->epoll = epoll_create1(0);
  client->tls = NULL;
  client->more = 0;
  client->in_size = 2 * (size_max + HAND_HEAD_MAX) > 128 * 1024 ? 2 * (size_max + HAND_HEAD_MAX) : 128 * 1024;
  client->in = malloc(client->in_size);
  client->in_at = client->in_end = 0;
  if (connect(client->fd, (struct sockaddr *)&address, sizeof address))
    fail("no connection");
  setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (!strncmp(url, "wss:", 4))
    secure_connection(client, ca_file);
  upgrade(client, path);
  fcntl(client->fd, F_SETFL, O_NONBLOCK);
  epoll_ctl(client->epoll, EPOLL_CTL_ADD, client->fd, &event);
}
