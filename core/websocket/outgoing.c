/* What goes out over a WebSocket: head and payload together, masked on the way into a buffer: a small frame's on the
 * stack, a large one's in pieces, so that no copy of all of it is made. */
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "websocket/inside.h"

enum { SMALL = 4096, PIECE = 65536 }; /* a piece's payload is a multiple of 4 long, so that the mask starts over */

static void copy(uint8_t *to, const uint8_t *from, size_t len, const uint8_t *mask) {
  if (mask)
    beam__mask(to, from, len, mask);
  else if (len)
    memcpy(to, from, len);
}

static int send_pieces(beam__carrier *carrier, const uint8_t *head, size_t head_len, const uint8_t *data, size_t len,
                       const uint8_t *mask) {
  uint8_t *piece = malloc(PIECE);
  size_t at = 0, used = head_len;
  int code = piece ? 0 : BEAM_ENO_MEMORY;
  if (piece)
    memcpy(piece, head, head_len);
  while (!code && at < len) {
    size_t room = (PIECE - used) & ~(size_t)3, take = len - at < room ? len - at : room;
    copy(piece + used, data + at, take, mask);
    code = carrier->ops->write(carrier, piece, used + take);
    at += take;
    used = 0;
  }
  free(piece);
  return code;
}

int beam__ws_send(const beam_ws *ws, enum beam__opcode opcode, const void *data, size_t len) {
  uint8_t frame[BEAM__FRAME_HEAD_MAX + SMALL], key[4], *mask = ws->decoder.role == BEAM__CLIENT ? key : NULL;
  size_t head_len;
  if (mask)
    beam__random(key, sizeof key);
  head_len = beam__frame_head(frame, opcode, 1, len, mask);
  if (len > SMALL)
    return send_pieces(ws->carrier, frame, head_len, data, len, mask);
  copy(frame + head_len, data, len, mask);
  return ws->carrier->ops->write(ws->carrier, frame, head_len + len);
}
