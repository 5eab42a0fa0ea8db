/* The head of an HTTP/1 message as a pure parser (RFC 9112): bytes in, a return code out. No I/O, no allocation.
 *
 * A request is read strictly, where leniency lets two readers see two different requests: CRLF only, single spaces. An
 * answer may have what RFC 9112 lets a reader take: lines that end in LF only (section 2.2), blanks of any number in
 * its first line, and no reason phrase (section 4). Neither may have a folded field, a NUL, or a space before a colon.
 */
#pragma once

#include "net/http1/header.h"

#pragma GCC visibility push(hidden)

enum beam__head_kind { BEAM__HEAD_REQUEST, BEAM__HEAD_ANSWER };

enum {
  BEAM__REQUEST_HEAD_MAX = 16384,
  BEAM__REQUEST_FIELDS_MAX = 100,
  BEAM__ANSWER_HEAD_MAX = 65536,
  BEAM__ANSWER_FIELDS_MAX = 2000
};

/* The slices lie in the bytes that were parsed, and hold no NUL, CR or LF. */
typedef struct beam__head {
  beam__slice method, target; /* of a request */
  int status;                 /* of an answer */
  unsigned minor;             /* of HTTP/1.minor */
  size_t field_count;
  beam__slice fields; /* for beam__head_next */
  const char *error;  /* static: why the head is refused */
} beam__head;

/* Parses a head that starts at `bytes`; a few empty lines before it are skipped and counted. Returns
 *   > 0  how many bytes it took, the empty line at its end included;
 *   0    more bytes are needed;
 *   < 0  minus the HTTP status to refuse a request with (400, 431, 505), of an answer any of them; head->error says
 * why. `seen`: how many of the bytes an earlier call on the same head has looked at, 0 at first. It saves work; what is
 * wrong may then be told at the end of its line only. */
int beam__head_parse(beam__head *head, enum beam__head_kind kind, const char *bytes, size_t len, size_t seen);

/* The fields of a whole head, one after the other: `rest` is head->fields at first. 0: there is none left. */
int beam__head_next(beam__slice *rest, beam__field *field);
/* All of them, names in lower case, as texts at *to, which moves behind them: each takes no more room than as a line,
 * for the colon and the line's end make place for two NULs. */
void beam__head_copy(const beam__head *head, beam_header *headers, char **to);

#pragma GCC visibility pop
