/* The client's side of the opening handshake as bytes: what is asked, and whether the answer agrees (RFC 6455 section
 * 4). No I/O.
 */
#ifndef BEAM_UPGRADE_H
#define BEAM_UPGRADE_H

#include "base/bytes.h"
#include "net/url.h"
#include "websocket/handshake.h"

#pragma GCC visibility push(hidden)

enum { BEAM__UPGRADE_HEAD_MAX = 16384 };

/* Appends the request's head without the empty line at its end. `authorization`: the header's value, or NULL. Headers
 * of the caller replace Host, User-Agent and Authorization; those of the handshake itself are refused. 0,
 * BEAM_EINVALID, BEAM_ETOO_LARGE, BEAM_ENO_MEMORY. */
int beam__upgrade_request(beam__bytes *to, const beam__url *url, const char *authorization, const beam_header *headers,
                          size_t header_count, const char *key, beam_error *error);

typedef struct beam__answer { /* zero-initialise */
  int status;
  beam_header *headers; /* names in lower case */
  size_t header_count;
  char *text; /* what they point into */
} beam__answer;

/* Parses a head. 1; 0: there is no end of it in `len` bytes; BEAM_EPROTOCOL: this is not HTTP; BEAM_ENO_MEMORY. */
int beam__answer_parse(beam__answer *answer, const char *bytes, size_t len);
void beam__answer_free(beam__answer *answer);
/* Does a 101 accept the upgrade that was asked for with `key` and `protocols` (the value of Sec-WebSocket-Protocol, or
 * NULL)? 0, or BEAM_EHANDSHAKE and what is wrong with it. */
int beam__answer_accepts(const beam__answer *answer, const char *key, const char *protocols, const char *host,
                         beam_error *error);
/* The error for any other status. */
void beam__answer_rejects(const beam__answer *answer, const char *host, beam_error *error);

#pragma GCC visibility pop

#endif
