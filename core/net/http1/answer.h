/* The head of an answer as it comes in pieces, for who speaks HTTP itself: to a proxy (tunnel.h), and for the upgrade
 * (websocket/handshake.h). Interim answers (1xx but 101) before it are passed over.
 */
#pragma once

#include "base/bytes.h"
#include "net/http1/header.h"

#pragma GCC visibility push(hidden)

enum { BEAM__INTERIM_MAX = 32 };

typedef struct beam__answer { /* zero-initialise */
  int status;                 /* 0 until the head is whole */
  beam_header *headers;       /* names in lower case */
  size_t header_count;
  char *text;        /* what they point into */
  const char *error; /* static: why it cannot be read */
  beam__bytes came;  /* of the head that is not whole yet */
  size_t seen;
  unsigned interim; /* answers that were passed over */
} beam__answer;

/* Takes the next piece. 1: the head is whole, and *used bytes of `data` belong to it; what follows is the body, the
 * tunnel's or the WebSocket's. 0: more is needed, all was used. BEAM_EPROTOCOL, BEAM_ETOO_LARGE: answer->error says
 * what is wrong with it; BEAM_ENO_MEMORY. Not to be called again once it is not 0. */
int beam__answer_read(beam__answer *answer, const void *data, size_t len, size_t *used);
/* The beginning of what came so far and could not be read, on one line and fit to be shown. */
void beam__answer_shown(const beam__answer *answer, char *to, size_t size);
void beam__answer_free(beam__answer *answer); /* zeroed is fine; it may be used again */

#pragma GCC visibility pop
