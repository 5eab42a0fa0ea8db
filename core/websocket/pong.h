/* The answer to a ping that cannot be sent yet. Of several pings only the newest need be answered (RFC 6455 section
 * 5.5.3), so that a peer that pings and does not read makes nothing grow; one that goes on is not read any more. */
#ifndef BEAM_PONG_H
#define BEAM_PONG_H

#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

enum {
  BEAM__PONGS_PENDING = 128 * 1024, /* bytes that wait to be sent: from here on the answers do not join them */
  BEAM__PONGS_SKIPPED = 64 * 1024   /* bytes of pings that were not answered: from here on the peer is held back */
};

typedef struct beam__pong {
  size_t skipped; /* payload bytes and heads of the pings that a newer one replaced */
  uint8_t len;
  uint8_t payload[125];
} beam__pong;

/* Keeps the answer to the newest ping in *pong, which is made on first use and freed by its holder. NULL: out of
 * memory. */
beam__pong *beam__pong_keep(beam__pong **pong, const void *data, size_t len);

#pragma GCC visibility pop

#endif
