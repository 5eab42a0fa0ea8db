/* Whole messages: out of the pieces that the codec hands on, and over a carrier on their way out. */
#pragma once

#include "base/bytes.h"
#include "carrier/carrier.h"
#include "websocket/frame.h"

#pragma GCC visibility push(hidden)

/* Takes a piece. 1: the message is whole and lies at *data, in the piece itself if it came as one; 0: more is needed;
 * BEAM_ENO_MEMORY. `bytes` holds the pieces so far; free it when the message has been handed on. */
int beam__message_add(beam__bytes *bytes, const beam__frame_event *piece, const char **data, size_t *len);

/* Writes one frame, masked at a client, in as few writes as can be. 0, or BEAM_ENO_MEMORY with the frame perhaps cut
 * short. */
int beam__frame_send(beam__carrier *carrier, enum beam__role role, enum beam__opcode opcode, const void *data,
                     size_t len);

#pragma GCC visibility pop
