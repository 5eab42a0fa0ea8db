/* The body of a request as a pure decoder, by length or chunked (RFC 9112 sections 6 and 7). No I/O, no allocation. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

enum beam__body_result {
  BEAM__BODY_MORE, /* all bytes are consumed: more are needed */
  BEAM__BODY_DATA, /* a piece of the body */
  BEAM__BODY_END,  /* the body is over; what was not consumed belongs to the next request */
  BEAM__BODY_BAD   /* the chunks are not well formed; `error` says how. Nothing more is decoded */
};

typedef struct beam__body {
  uint64_t left;     /* bytes of the body, or of the chunk, that have not come */
  unsigned line_len; /* bytes of the chunk's line, or of all trailers, so far */
  unsigned digits;   /* hexadecimal digits of the chunk's size so far */
  uint8_t state;
  const char *error; /* static */
} beam__body;

/* `length` is not looked at if `chunked`. */
void beam__body_init(beam__body *body, int chunked, uint64_t length);
/* Takes one step: says in *consumed how many bytes were used, and for DATA where the piece lies in them. */
enum beam__body_result beam__body_decode(beam__body *body, const char *bytes, size_t len, size_t *consumed,
                                         const char **data, size_t *data_len);

#pragma GCC visibility pop
