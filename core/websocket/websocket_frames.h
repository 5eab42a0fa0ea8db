/* Frames on their way out. */
#ifndef BEAM_WEBSOCKET_FRAMES_H
#define BEAM_WEBSOCKET_FRAMES_H

#include "carrier/carrier.h"
#include "websocket/frame.h"

#pragma GCC visibility push(hidden)

/* Writes one frame, masked at a client, in as few writes as can be. 0, or BEAM_ENO_MEMORY with the frame perhaps cut
 * short. */
int beam__frame_send(beam__carrier *carrier, enum beam__role role, enum beam__opcode opcode, const void *data,
                     size_t len);

#pragma GCC visibility pop

#endif
