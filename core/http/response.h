/* What has come of a response: the head, line by line as curl hands it on, and the body where it is wanted whole. */
#pragma once

#include "base/bytes.h"
#include "beam.h"

#pragma GCC visibility push(hidden)

enum { BEAM__RESPONSE_HEAD_MAX = 256 * 1024 }; /* bytes of names and values */

typedef struct beam__response { /* zero-initialise */
  int status;                   /* of the final response once its head is whole, else 0 */
  beam_header *headers;         /* names in lower case */
  size_t header_count, header_size;
  beam__bytes body;
  int current;      /* status of the head that is being read, an interim one (1xx) perhaps */
  beam__bytes text; /* name NUL value NUL … */
  size_t text_count;
} beam__response;

/* Why a head was refused for what stands in it. */
extern const char beam__response_unreadable[];

/* Takes one line of a head with its line end. 1: the final head is whole; 0: more to come (trailers are passed over);
 * BEAM_EHTTP, BEAM_ETOO_LARGE or BEAM_ENO_MEMORY, with a reason in *why (static). */
int beam__response_line(beam__response *response, const char *line, size_t len, const char **why);
void beam__response_forget(beam__response *response); /* ready for another one; keeps its memory */
/* Of one that was forgotten: keeps no more than `size` bytes for each thing. */
void beam__response_shrink(beam__response *response, size_t size);
void beam__response_free(beam__response *response); /* zeroed is fine */

#pragma GCC visibility pop
