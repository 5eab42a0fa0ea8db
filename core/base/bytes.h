/* Bytes that grow at their end: what is read, and what is put together to be written. */
#pragma once

#include <stddef.h>

#pragma GCC visibility push(hidden)

typedef struct beam__bytes { /* zero-initialise */
  char *at;                  /* `len` bytes of `size`; not NUL-terminated */
  size_t len, size;
} beam__bytes;

/* All: 0, or BEAM_ENO_MEMORY with nothing added. */
int beam__bytes_add(beam__bytes *bytes, const void *data, size_t len);
int beam__bytes_add_text(beam__bytes *bytes, const char *text, size_t len); /* and a NUL behind it */
int beam__bytes_format(beam__bytes *bytes, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Takes `len` bytes away at the front. */
void beam__bytes_skip(beam__bytes *bytes, size_t len);
/* Frees what is held; the bytes are empty and may be used again. */
void beam__bytes_free(beam__bytes *bytes);
void beam__bytes_wipe(beam__bytes *bytes); /* the same for a secret */

#pragma GCC visibility pop
