/* A growing buffer: doubled when full, so that adding costs the same however much there is. */
#include "base/bytes.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "beam.h"

static int reserve(beam__bytes *bytes, size_t more) {
  size_t size = bytes->size ? bytes->size : 256;
  char *grown;
  if (more <= bytes->size - bytes->len)
    return 0;
  if (more > SIZE_MAX / 2 - bytes->len)
    return BEAM_ENO_MEMORY;
  while (size < bytes->len + more)
    size *= 2;
  grown = realloc(bytes->at, size);
  if (!grown)
    return BEAM_ENO_MEMORY;
  bytes->at = grown;
  bytes->size = size;
  return 0;
}

int beam__bytes_add(beam__bytes *bytes, const void *data, size_t len) {
  if (!len)
    return 0;
  if (reserve(bytes, len))
    return BEAM_ENO_MEMORY;
  memcpy(bytes->at + bytes->len, data, len);
  bytes->len += len;
  return 0;
}

int beam__bytes_add_text(beam__bytes *bytes, const char *text, size_t len) {
  if (reserve(bytes, len + 1))
    return BEAM_ENO_MEMORY;
  memcpy(bytes->at + bytes->len, text, len);
  bytes->at[bytes->len + len] = '\0';
  bytes->len += len + 1;
  return 0;
}

int beam__bytes_format(beam__bytes *bytes, const char *format, ...) {
  va_list arguments;
  int len;
  va_start(arguments, format);
  len = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (len < 0 || reserve(bytes, (size_t)len + 1))
    return BEAM_ENO_MEMORY;
  va_start(arguments, format);
  vsnprintf(bytes->at + bytes->len, (size_t)len + 1, format, arguments);
  va_end(arguments);
  bytes->len += (size_t)len;
  return 0;
}

void beam__bytes_skip(beam__bytes *bytes, size_t len) {
  bytes->len -= len;
  if (bytes->len && len)
    memmove(bytes->at, bytes->at + len, bytes->len);
}

void beam__bytes_free(beam__bytes *bytes) {
  free(bytes->at);
  memset(bytes, 0, sizeof *bytes);
}
