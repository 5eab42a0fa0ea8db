/* The head of an HTTP/1.1 answer, as bytes. */
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "beam.h"

#pragma GCC visibility push(hidden)

enum beam__framing {
  BEAM__FRAMING_NONE, /* nothing is said: 204, 304, and what ends with the connection */
  BEAM__FRAMING_LENGTH,
  BEAM__FRAMING_CHUNKED
};

typedef struct beam__reply {
  int status;
  const beam_header *headers; /* valid ones. What they say of framing and connection is left out: that is ours to say */
  size_t header_count;
  enum beam__framing framing;
  size_t body_len;
  int keep_alive;
  const char *date;
} beam__reply;

/* Appends the head. 0 or BEAM_ENO_MEMORY. */
int beam__reply_head(beam__bytes *to, const beam__reply *reply);
/* Appends the 101 of a WebSocket. 0 or BEAM_ENO_MEMORY. */
int beam__reply_switch(beam__bytes *to, const char *accept, const beam_header *headers, size_t header_count);

/* May an answer of this status have a body (RFC 9110 section 6.4.1)? */
int beam__status_has_body(int status);

#pragma GCC visibility pop
