/* The opening handshake as bytes (RFC 6455 section 4): what the client asks, whether the answer agrees, and the two
 * values that are computed. No I/O; an answer is read by net/http1/answer.h.
 */
#pragma once

#include "net/http1/answer.h"
#include "net/url.h"

#pragma GCC visibility push(hidden)

enum {
  BEAM__KEY_SIZE = 25, /* with the NUL, as the next */
  BEAM__ACCEPT_SIZE = 29,
  BEAM__HANDSHAKE_HEAD_MAX = 16384
};

/* ---- Key and accept ---- */

/* A fresh Sec-WebSocket-Key. */
void beam__handshake_key(char key[BEAM__KEY_SIZE]);
/* The Sec-WebSocket-Accept that answers `key`, without white space around it. 0; BEAM_EINVALID if `key` is not the
 * base64 of 16 bytes (section 4.2.1, 5), BEAM_ENO_MEMORY; *accept is then "". */
int beam__handshake_accept(const char *key, char accept[BEAM__ACCEPT_SIZE]);

/* ---- The client ---- */

/* Appends the request's whole head, the empty line at its end included. `authorization`: the header's value, or NULL.
 * Headers of the caller replace Host, User-Agent and Authorization; those of the handshake itself are refused. 0,
 * BEAM_EINVALID, BEAM_ETOO_LARGE, BEAM_ENO_MEMORY. */
int beam__handshake_request(beam__bytes *to, const beam__url *url, const char *authorization,
                            const beam_header *headers, size_t header_count, const char *key, beam_error *error);
/* The subprotocols that a client's headers offer, as one list ("" without any): a copy; NULL when out of memory. */
char *beam__handshake_offer(const beam_header *headers, size_t header_count);
/* Is the answer a 101 that accepts the upgrade that was asked for with `key` and `offer` (from beam__handshake_offer;
 * NULL: none)? 0, or BEAM_EHANDSHAKE and what is wrong with it. */
int beam__handshake_agrees(const beam__answer *answer, const char *key, const char *offer, const char *host,
                           beam_error *error);
/* The error for any other status. */
void beam__handshake_refused(const beam__answer *answer, const char *host, beam_error *error);
/* The answer cannot be read, for which beam__answer_read returned `code`. Returns the error's code. */
int beam__handshake_unreadable(const beam__answer *answer, int code, const char *host, beam_error *error);

#pragma GCC visibility pop
