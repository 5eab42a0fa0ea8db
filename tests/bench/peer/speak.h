/* What the peer does on a WebSocket, by the path it was asked for:
 *
 *   /echo                  sends each message back
 *   /hold                  stays silent
 *   /flood/SIZE/COUNT      sends COUNT binary messages, in batches of 64 KiB
 *   /json/SIZE/COUNT       the same as texts that are JSON objects
 *   /sink/COUNT            reads COUNT messages, then says so with one of its own
 *   /resumed               says "1" if this connection resumed a TLS session, else "0"
 *
 * Messages that come may be of up to 128 KiB. */
#ifndef PEER_SPEAK_H
#define PEER_SPEAK_H

#include "link.h"

struct speaker {
  struct link link;
  int websocket; /* 0: plain TCP, what comes goes back */
  int open, sinks;
  char *rest; /* of what came, not yet a whole frame */
  size_t rest_len;
  char *batch; /* whole frames */
  size_t frame_len, batch_frames, batch_at, batch_end;
  long left; /* messages to send, or to read */
};

/* Does what can be done now. 1: more is to be written when the socket takes it; 0: not; negative: it is over. */
int speak(struct speaker *speaker);
void speaker_free(struct speaker *speaker);

#endif
