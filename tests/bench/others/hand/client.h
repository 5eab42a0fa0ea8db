/* The reference for connections: a WebSocket client that does nothing else, by hand over epoll and OpenSSL. It knows
 * one connection, trusts one file, reads what the benchmarks' peer sends and checks nothing. Nothing here is of
 * libbeam. */
#ifndef HAND_CLIENT_H
#define HAND_CLIENT_H

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

enum { HAND_HEAD_MAX = 14 };

struct client {
  int fd, epoll;
  SSL *tls;
  int more;    /* OpenSSL may have read more than it gave */
  uint8_t *in; /* what came and is no whole message yet: `in_at` to `in_end` */
  size_t in_size, in_at, in_end;
};

/* Connects and upgrades; ends the program where that fails. `url` is ws://127.0.0.1:PORT/PATH or
 * wss://localhost:PORT/PATH, `ca_file` for the latter; messages that come have up to `size_max` bytes. */
void client_open(struct client *client, const char *url, const char *ca_file, size_t size_max);
/* Writes a binary message's head and masked payload to `frame`, which has room for them; returns their length. */
size_t client_frame(uint8_t *frame, int opcode, const void *payload, size_t len);
void client_write(struct client *client, const void *data, size_t len);
/* Calls `on_message` for each message that is there, waiting for the first. 0 when the peer has closed. */
int client_read(struct client *client, void (*on_message)(const uint8_t *data, size_t len));

#endif
