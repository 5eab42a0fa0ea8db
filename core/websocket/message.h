/* Whole messages out of the pieces that the codec hands on. */
#ifndef BEAM_MESSAGE_H
#define BEAM_MESSAGE_H

#include "base/bytes.h"
#include "websocket/frame.h"

#pragma GCC visibility push(hidden)

/* Takes a piece. 1: the message is whole and lies at *data, in the piece itself if it came as one; 0: more is needed;
 * BEAM_ENO_MEMORY. `bytes` holds the pieces so far; free it when the message has been handed on. */
int beam__message_add(beam__bytes *bytes, const beam__frame_event *piece, const char **data, size_t *len);

#pragma GCC visibility pop

#endif
