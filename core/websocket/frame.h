/* RFC 6455 as a pure codec: bytes in, events out; frames out. No I/O, no allocation, no clock.
 *
 *   incoming.c, outgoing.c  ->  frame.h;  before them handshake.h
 *
 * Decoding: hand it what arrived; it gives one event after the other until it wants more. Data comes in pieces that
 * point into the caller's bytes: a message that lies whole in them is one piece (`first` and `final`), handed on
 * without a copy. Each piece of a text is valid UTF-8 by itself: a character that is cut in two by the network or by a
 * frame comes whole, as a piece of its own, once its last byte is there. What is wrong is reported at its first byte,
 * after the piece in front of it. The events do not depend on how the bytes were cut, but for where pieces end.
 * After BEAM__FRAME_ERROR or a close frame nothing more is decoded.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/utf8.h"

#pragma GCC visibility push(hidden)

enum beam__role {
  BEAM__CLIENT,
  BEAM__SERVER
}; /* whose side we are: a client masks what it sends, RFC 6455 section 5.3 */

enum beam__opcode {
  BEAM__CONTINUATION = 0,
  BEAM__TEXT = 1,
  BEAM__BINARY = 2,
  BEAM__CLOSE = 8,
  BEAM__PING = 9,
  BEAM__PONG = 10
};

enum beam__frame_type {
  BEAM__FRAME_MORE,  /* all bytes are consumed: more are needed */
  BEAM__FRAME_DATA,  /* a piece of a message: `binary`, `first`, `frame_end`, `final`; may be empty */
  BEAM__FRAME_PING,  /* `data`, up to 125 bytes */
  BEAM__FRAME_PONG,  /* `data`, up to 125 bytes */
  BEAM__FRAME_CLOSE, /* `code` (1005 if there is none); the reason in `data` */
  BEAM__FRAME_ERROR  /* the peer broke the protocol: `code` to close with (1002, 1007, 1009); `error` names the rule */
};

typedef struct beam__frame_event {
  enum beam__frame_type type;
  const uint8_t *data; /* into the caller's bytes, or into the decoder and then valid until the next decode */
  size_t len;
  int binary;
  int first;     /* the first piece of a message */
  int frame_end; /* the last piece of a frame */
  int final;     /* the last piece of a message */
  int code;
  const char *error; /* static */
} beam__frame_event;

typedef struct beam__decoder { /* frame.c's own */
  enum beam__role role;
  uint64_t max_message;

  /* the frame */
  uint8_t head[14];
  unsigned head_len; /* bytes of an unfinished head that are there */
  uint8_t opcode;
  uint8_t final_frame;
  uint8_t in_payload; /* the head is complete, the payload is not */
  uint64_t left;      /* payload bytes that have not come */
  uint8_t mask[4];
  unsigned mask_at; /* payload bytes unmasked, modulo 4 */
  uint8_t control[125];
  unsigned control_len;

  /* the message */
  uint8_t message_opcode; /* BEAM__TEXT or BEAM__BINARY inside a message, else 0 */
  uint8_t started;        /* a piece of it was handed on */
  uint64_t received;      /* payload bytes, the current frame's claimed length included */
  uint8_t cut[4];         /* the beginning of a character whose rest has not come */
  unsigned cut_len;

  uint8_t fault; /* found behind the piece that was handed on last: reported by the next decode */
  uint8_t done;  /* a close frame or an error was reported */
} beam__decoder;

/* `max_message` in bytes. */
void beam__decoder_init(beam__decoder *decoder, enum beam__role role, uint64_t max_message);
/* Decodes up to one event from `bytes` (a server unmasks them in place, a client leaves them as they are) and says in
 * *consumed how many were used. */
void beam__decode(beam__decoder *decoder, uint8_t *bytes, size_t len, size_t *consumed, beam__frame_event *event);
/* The straight way for what comes most: a whole, unfragmented message of up to 64 KiB from a server, at the start of
 * `bytes`. Returns how many of them it takes, its event as beam__decode gives it; 0: it is none, and beam__decode says
 * what it is. */
size_t beam__decode_whole(const beam__decoder *decoder, const uint8_t *bytes, size_t len, beam__frame_event *event);
/* Whether a message has begun and not ended, or a frame is cut short. */
int beam__decoder_midway(const beam__decoder *decoder);
/* Payload bytes that have come of a message which is not whole. */
uint64_t beam__decoder_unfinished(const beam__decoder *decoder);

/* to[i] = from[i] ^ mask[i % 4] (RFC 6455 section 5.3); `to` and `from` may be the same, at any alignment. */
void beam__mask(uint8_t *to, const uint8_t *from, size_t len, const uint8_t mask[4]);

enum { BEAM__FRAME_HEAD_MAX = 14 };

/* Writes a frame's head and returns its length. `mask`: 4 bytes, or NULL for none. */
size_t beam__frame_head(uint8_t head[BEAM__FRAME_HEAD_MAX], enum beam__opcode opcode, int final, uint64_t payload_len,
                        const uint8_t *mask);
/* May this code stand in a close frame that is sent (1000-1003, 1007-1014, 3000-4999; RFC 6455 section 7.4, IANA)? */
int beam__close_code_valid(int code);

#pragma GCC visibility pop
