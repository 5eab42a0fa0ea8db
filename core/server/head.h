/* The head of an HTTP/1.x request as a pure parser (RFC 9112): bytes in, a return code out. No I/O, no allocation.
 *
 * It is strict where leniency lets two readers see two different requests: CRLF only, one Content-Length of digits,
 * "chunked" as the only transfer coding and never beside a length, no folded lines, no space before a colon.
 */
#ifndef BEAM_REQUEST_HEAD_H
#define BEAM_REQUEST_HEAD_H

#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

enum { BEAM__HEAD_MAX = 16384, BEAM__FIELDS_MAX = 100 };

/* Bytes of the caller's, not NUL-terminated; no NUL, CR or LF in them. */
typedef struct beam__slice {
  const char *at;
  size_t len;
} beam__slice;

typedef struct beam__field {
  beam__slice name;  /* as sent, at least one byte */
  beam__slice value; /* without the white space around it */
} beam__field;

typedef struct beam__request_head {
  beam__slice method, target;
  unsigned minor; /* of HTTP/1.minor */
  beam__field fields[BEAM__FIELDS_MAX];
  size_t field_count;
  /* what the fields mean */
  uint64_t content_length; /* 0 without one */
  int chunked;
  int keep_alive;
  int expect_continue; /* the client waits for a 100 before it sends the body */
  int upgrade;         /* a WebSocket of version 13 is asked for; whether `key` is one is left to handshake.h */
  beam__slice key;     /* Sec-WebSocket-Key */
  const char *error;   /* static: why the request is refused */
} beam__request_head;

/* Parses a head that starts at `bytes`; a few empty lines before it are skipped and counted. Returns
 *   > 0  how many bytes it took, the empty line at its end included;
 *   0    more bytes are needed;
 *   < 0  minus the HTTP status to refuse it with (400, 417, 426, 431, 501, 505); head->error says why.
 * `seen`: how many of the bytes an earlier call on the same head has looked at, 0 at first. It saves work; what is
 * wrong may then be told at the end of its line only. */
int beam__request_head_parse(beam__request_head *head, const char *bytes, size_t len, size_t seen);

/* Is `slice` this text, in ASCII letters of either case? */
int beam__slice_is(beam__slice slice, const char *text);
/* Does the comma-separated list hold this token, in ASCII letters of either case? */
int beam__slice_lists(beam__slice slice, const char *token);
/* Is `text` a token of RFC 9110 section 5.6.2, as methods and field names must be? */
int beam__is_token(const char *text, size_t len);

#pragma GCC visibility pop

#endif
