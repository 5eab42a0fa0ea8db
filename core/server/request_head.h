/* What the head of a request means. One Content-Length of digits, "chunked" as the only transfer coding and never
 * beside a length: leniency there lets two readers see two different requests. */
#pragma once

#include "net/http1/head.h"

#pragma GCC visibility push(hidden)

typedef struct beam__request_head {
  beam__head sent;         /* its error says why the request is refused */
  uint64_t content_length; /* 0 without one */
  int chunked;
  int keep_alive;
  int expect_continue; /* the client waits for a 100 before it sends the body */
  int upgrade;         /* a WebSocket of version 13 is asked for; whether `key` is one is left to handshake.h */
  beam__slice key;     /* Sec-WebSocket-Key */
} beam__request_head;

/* As beam__head_parse. What the fields mean may be refused with 400, 417, 426 or 501. */
int beam__request_head_parse(beam__request_head *head, const char *bytes, size_t len, size_t seen);

#pragma GCC visibility pop
