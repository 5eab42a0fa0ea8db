/* The codec bounds what comes here, so that nothing is counted again. */
#include "websocket/message.h"

#include "beam.h"

int beam__message_add(beam__bytes *bytes, const beam__frame_event *piece, const char **data, size_t *len) {
  if (piece->first && piece->final) {
    *data = (const char *)piece->data;
    *len = piece->len;
    return 1;
  }
  if (beam__bytes_add(bytes, piece->data, piece->len))
    return BEAM_ENO_MEMORY;
  *data = bytes->at;
  *len = bytes->len;
  return piece->final;
}
