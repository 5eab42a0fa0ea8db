#include "websocket/pong.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD = 2 };

beam__pong *beam__pong_keep(beam__pong **pong, const void *data, size_t len) {
  if (!*pong)
    *pong = calloc(1, sizeof **pong);
  if (!*pong)
    return NULL;
  (*pong)->skipped += HEAD + len;
  (*pong)->len = (uint8_t)len;
  memcpy((*pong)->payload, data, len);
  return *pong;
}
