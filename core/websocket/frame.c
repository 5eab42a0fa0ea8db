/* RFC 6455 section 5, both ways. The head is read and checked byte by byte, so that a fault is reported with the first
 * byte that shows it; the payload as far as it is there. What is checked of a text stands in utf8.c.
 */
#include <string.h>

#include "websocket/frame.h"

enum { CONTROL_BIT = 8, LENGTH_16 = 126, LENGTH_64 = 127, MASK_BIT = 0x80, NO_CODE = 1005 };

/* ---- What can be wrong: name, code to close with, the rule ---- */

#define FAULT_MAP(X)                                                                                                   \
  X(RESERVED, 1002, "a reserved bit is set, but no extension was agreed on (RFC 6455 section 5.2)")                    \
  X(OPCODE, 1002, "an unknown opcode (RFC 6455 section 5.2)")                                                          \
  X(CONTROL_FRAGMENT, 1002, "a control frame is fragmented (RFC 6455 section 5.5)")                                    \
  X(CONTROL_LENGTH, 1002, "a control frame is longer than 125 bytes (RFC 6455 section 5.5)")                           \
  X(CONTINUATION, 1002, "a continuation frame without a message to continue (RFC 6455 section 5.4)")                   \
  X(INTERLEAVED, 1002, "a new message begins inside a fragmented one (RFC 6455 section 5.4)")                          \
  X(MASKED, 1002, "a frame from the server is masked (RFC 6455 section 5.1)")                                          \
  X(UNMASKED, 1002, "a frame from the client is not masked (RFC 6455 section 5.1)")                                    \
  X(LENGTH_LONG, 1002, "a length is not encoded in the fewest bytes (RFC 6455 section 5.2)")                           \
  X(LENGTH_TOP_BIT, 1002, "the top bit of a 64-bit length is set (RFC 6455 section 5.2)")                              \
  X(CLOSE_LENGTH, 1002, "a close frame has half a code (RFC 6455 section 5.5.1)")                                      \
  X(CLOSE_CODE, 1002, "a close frame has a code that may not be sent (RFC 6455 section 7.4)")                          \
  X(CLOSE_REASON, 1007, "the reason in a close frame is not UTF-8 (RFC 6455 section 5.5.1)")                           \
  X(TEXT, 1007, "a text message is not UTF-8 (RFC 6455 section 8.1)")                                                  \
  X(TEXT_CUT, 1007, "a text message ends inside a UTF-8 character (RFC 6455 section 8.1)")                             \
  X(TOO_LARGE, 1009, "a message is longer than the limit")

enum fault {
  FAULT_NONE,
#define X(name, code, text) FAULT_##name,
  FAULT_MAP(X)
#undef X
};

static const struct {
  int code;
  const char *text;
} faults[] = {{0, NULL},
#define X(name, code, text) {code, text},
              FAULT_MAP(X)
#undef X
};

static void fail(beam__decoder *decoder, enum fault fault, beam__frame_event *event) {
  decoder->done = 1;
  *event = (beam__frame_event){.type = BEAM__FRAME_ERROR, .code = faults[fault].code, .error = faults[fault].text};
}

int beam__close_code_valid(int code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

/* ---- Masking, section 5.3: by the word; memcpy to and from a register is an unaligned load and store, no call ---- */

static void mask_word(uint8_t *to, const uint8_t *from, uint64_t key) {
  uint64_t word;
  memcpy(&word, from, sizeof word);
  word ^= key;
  memcpy(to, &word, sizeof word);
}

/* Four words, all read before the first is written, so that the compiler may use vectors though the two may be one. */
static void mask_words(uint8_t *to, const uint8_t *from, uint64_t key) {
  uint64_t words[4];
  memcpy(words, from, sizeof words);
  words[0] ^= key;
  words[1] ^= key;
  words[2] ^= key;
  words[3] ^= key;
  memcpy(to, words, sizeof words);
}

void beam__mask(uint8_t *to, const uint8_t *from, size_t len, const uint8_t mask[4]) {
  uint8_t twice[8];
  uint64_t key;
  size_t at = 0;
  memcpy(twice, mask, 4);
  memcpy(twice + 4, mask, 4);
  memcpy(&key, twice, sizeof key);
  for (; len - at >= 32; at += 32)
    mask_words(to + at, from + at, key);
  for (; len - at >= 8; at += 8)
    mask_word(to + at, from + at, key);
  for (; at < len; at++)
    to[at] = from[at] ^ mask[at % 4];
}

/* ---- The head ---- */

static uint64_t big_endian(const uint8_t *bytes, unsigned count) {
  uint64_t value = 0;
  while (count--)
    value = value << 8 | *bytes++;
  return value;
}

/* Where the length ends and the mask, if any, begins; known from the second byte on. */
static unsigned length_end(const beam__decoder *decoder) {
  unsigned length = decoder->head[1] & 0x7F;
  return length == LENGTH_64 ? 10 : length == LENGTH_16 ? 4 : 2;
}

static unsigned head_end(const beam__decoder *decoder) {
  return length_end(decoder) + (decoder->head[1] & MASK_BIT ? 4 : 0);
}

static uint64_t payload_length(const beam__decoder *decoder) {
  unsigned end = length_end(decoder);
  return end == 2 ? decoder->head[1] & 0x7F : big_endian(decoder->head + 2, end - 2);
}

static enum fault check_first_byte(const beam__decoder *decoder) {
  unsigned opcode = decoder->head[0] & 0x0F, final = decoder->head[0] & 0x80;
  if (decoder->head[0] & 0x70)
    return FAULT_RESERVED;
  switch (opcode) {
  case BEAM__CONTINUATION:
    return decoder->message_opcode ? FAULT_NONE : FAULT_CONTINUATION;
  case BEAM__TEXT:
  case BEAM__BINARY:
    return decoder->message_opcode ? FAULT_INTERLEAVED : FAULT_NONE;
  case BEAM__CLOSE:
  case BEAM__PING:
  case BEAM__PONG:
    return final ? FAULT_NONE : FAULT_CONTROL_FRAGMENT;
  default:
    return FAULT_OPCODE;
  }
}

static enum fault check_second_byte(const beam__decoder *decoder) {
  unsigned opcode = decoder->head[0] & 0x0F, length = decoder->head[1] & 0x7F, masked = decoder->head[1] & MASK_BIT;
  if (masked && decoder->role == BEAM__CLIENT)
    return FAULT_MASKED;
  if (!masked && decoder->role == BEAM__SERVER)
    return FAULT_UNMASKED;
  if (opcode & CONTROL_BIT && length >= LENGTH_16)
    return FAULT_CONTROL_LENGTH;
  return opcode == BEAM__CLOSE && length == 1 ? FAULT_CLOSE_LENGTH : FAULT_NONE;
}

/* `received` never exceeds `max_message`, so the subtraction does not wrap. */
static enum fault check_length(const beam__decoder *decoder) {
  unsigned end = length_end(decoder);
  uint64_t length = payload_length(decoder);
  if (length >> 63)
    return FAULT_LENGTH_TOP_BIT;
  if ((end == 4 && length < LENGTH_16) || (end == 10 && length <= 0xFFFF))
    return FAULT_LENGTH_LONG;
  if (decoder->head[0] & CONTROL_BIT)
    return FAULT_NONE;
  return length > decoder->max_message - decoder->received ? FAULT_TOO_LARGE : FAULT_NONE;
}

static enum fault check_head(const beam__decoder *decoder) {
  enum fault fault = FAULT_NONE;
  if (decoder->head_len == 1)
    return check_first_byte(decoder);
  if (decoder->head_len == 2)
    fault = check_second_byte(decoder);
  if (!fault && decoder->head_len == length_end(decoder))
    fault = check_length(decoder);
  return fault;
}

static void begin_payload(beam__decoder *decoder) {
  decoder->opcode = decoder->head[0] & 0x0F;
  decoder->final_frame = decoder->head[0] >> 7;
  decoder->left = payload_length(decoder);
  if (decoder->head[1] & MASK_BIT)
    memcpy(decoder->mask, decoder->head + length_end(decoder), sizeof decoder->mask);
  decoder->mask_at = 0;
  decoder->control_len = 0;
  decoder->head_len = 0;
  decoder->in_payload = 1;
  if (decoder->opcode & CONTROL_BIT)
    return;
  decoder->received += decoder->left;
  if (decoder->opcode != BEAM__CONTINUATION)
    decoder->message_opcode = decoder->opcode;
}

/* Returns the bytes used: all, unless the head is complete or wrong. */
static size_t read_head(beam__decoder *decoder, const uint8_t *bytes, size_t len, beam__frame_event *event) {
  size_t at = 0;
  while (at < len) {
    enum fault fault;
    decoder->head[decoder->head_len++] = bytes[at++];
    fault = check_head(decoder);
    if (fault) {
      fail(decoder, fault, event);
      return at;
    }
    if (decoder->head_len >= 2 && decoder->head_len == head_end(decoder)) {
      begin_payload(decoder);
      return at;
    }
  }
  return at;
}

/* ---- The payload: each reader takes `len` bytes, all that are there of this frame, and returns how many it used ----
 */

static void unmask(beam__decoder *decoder, uint8_t *to, const uint8_t *from, size_t len) {
  uint8_t turned[4];
  unsigned at;
  for (at = 0; at < 4; at++)
    turned[at] = decoder->mask[(decoder->mask_at + at) % 4];
  beam__mask(to, from, len, turned);
  decoder->mask_at = (decoder->mask_at + len) % 4;
}

static void unmask_in_place(beam__decoder *decoder, uint8_t *bytes, size_t len) {
  if (decoder->role == BEAM__SERVER)
    unmask(decoder, bytes, bytes, len);
}

static void end_message(beam__decoder *decoder) {
  decoder->message_opcode = 0;
  decoder->started = 0;
  decoder->received = 0;
}

/* Hands on `len` bytes, made of `used` bytes of the frame; nothing at all if both the piece is empty and the frame goes
 * on. */
static void hand_on(beam__decoder *decoder, const uint8_t *data, size_t len, size_t used, beam__frame_event *event) {
  decoder->left -= used;
  if (len == 0 && decoder->left > 0)
    return;
  event->type = BEAM__FRAME_DATA;
  event->data = data;
  event->len = len;
  event->binary = decoder->message_opcode == BEAM__BINARY;
  event->first = !decoder->started;
  event->frame_end = decoder->left == 0;
  event->final = event->frame_end && decoder->final_frame;
  decoder->started = 1;
  if (event->frame_end)
    decoder->in_payload = 0;
  if (event->final)
    end_message(decoder);
}

static size_t read_binary(beam__decoder *decoder, uint8_t *bytes, size_t len, beam__frame_event *event) {
  unmask_in_place(decoder, bytes, len);
  hand_on(decoder, bytes, len, len, event);
  return len;
}

/* Adds bytes to the cut character until it is whole, wrong, or there are no more. */
static size_t join_character(beam__decoder *decoder, const uint8_t *bytes, size_t len, enum beam__utf8_end *end) {
  size_t used = 0;
  *end = BEAM__UTF8_CUT;
  while (used < len && *end == BEAM__UTF8_CUT) {
    uint8_t *byte = &decoder->cut[decoder->cut_len++];
    *byte = bytes[used++];
    unmask_in_place(decoder, byte, 1);
    beam__utf8_prefix(decoder->cut, decoder->cut_len, end);
  }
  return used;
}

static enum fault text_fault(const beam__decoder *decoder, enum beam__utf8_end end, size_t used) {
  if (end == BEAM__UTF8_BAD)
    return FAULT_TEXT;
  return end == BEAM__UTF8_CUT && used == decoder->left && decoder->final_frame ? FAULT_TEXT_CUT : FAULT_NONE;
}

static size_t read_cut_text(beam__decoder *decoder, const uint8_t *bytes, size_t len, beam__frame_event *event) {
  enum beam__utf8_end end;
  size_t used = join_character(decoder, bytes, len, &end), whole = 0;
  enum fault fault = text_fault(decoder, end, used);
  if (fault) {
    fail(decoder, fault, event);
    return used;
  }
  if (end == BEAM__UTF8_WHOLE) {
    whole = decoder->cut_len;
    decoder->cut_len = 0;
  }
  hand_on(decoder, decoder->cut, whole, used, event);
  return used;
}

/* What stands in front of a fault is handed on first; all of `bytes` is unmasked by then, and not looked at again. */
static size_t read_text(beam__decoder *decoder, uint8_t *bytes, size_t len, beam__frame_event *event) {
  enum beam__utf8_end end;
  enum fault fault;
  size_t whole;
  if (decoder->cut_len > 0)
    return read_cut_text(decoder, bytes, len, event);
  unmask_in_place(decoder, bytes, len);
  whole = beam__utf8_prefix(bytes, len, &end);
  fault = text_fault(decoder, end, len);
  if (fault && whole == 0) {
    fail(decoder, fault, event);
    return 0;
  }
  if (fault) {
    decoder->fault = (uint8_t)fault;
    hand_on(decoder, bytes, whole, whole, event);
    return whole;
  }
  decoder->cut_len = (unsigned)(len - whole);
  memcpy(decoder->cut, bytes + whole, len - whole);
  hand_on(decoder, bytes, whole, len, event);
  return len;
}

static void end_close(beam__decoder *decoder, beam__frame_event *event) {
  event->code = NO_CODE;
  if (event->len > 0) {
    event->code = (int)big_endian(event->data, 2);
    event->data += 2;
    event->len -= 2;
    if (!beam__close_code_valid(event->code)) {
      fail(decoder, FAULT_CLOSE_CODE, event);
      return;
    }
    if (!beam__utf8_valid(event->data, event->len)) {
      fail(decoder, FAULT_CLOSE_REASON, event);
      return;
    }
  }
  event->type = BEAM__FRAME_CLOSE;
  decoder->done = 1;
}

static size_t read_control(beam__decoder *decoder, const uint8_t *bytes, size_t len, beam__frame_event *event) {
  uint8_t *to = decoder->control + decoder->control_len;
  memcpy(to, bytes, len);
  unmask_in_place(decoder, to, len);
  decoder->control_len += (unsigned)len;
  decoder->left -= len;
  if (decoder->left > 0)
    return len;
  decoder->in_payload = 0;
  event->data = decoder->control;
  event->len = decoder->control_len;
  if (decoder->opcode == BEAM__CLOSE)
    end_close(decoder, event);
  else
    event->type = decoder->opcode == BEAM__PING ? BEAM__FRAME_PING : BEAM__FRAME_PONG;
  return len;
}

static size_t read_payload(beam__decoder *decoder, uint8_t *bytes, size_t len, beam__frame_event *event) {
  if (len > decoder->left)
    len = (size_t)decoder->left;
  if (decoder->opcode & CONTROL_BIT)
    return read_control(decoder, bytes, len, event);
  if (decoder->message_opcode == BEAM__TEXT)
    return read_text(decoder, bytes, len, event);
  return read_binary(decoder, bytes, len, event);
}

/* ---- The decoder ---- */

void beam__decoder_init(beam__decoder *decoder, enum beam__role role, uint64_t max_message) {
  memset(decoder, 0, sizeof *decoder);
  decoder->role = role;
  decoder->max_message = max_message;
}

/* One head and one payload are enough: a payload that gives no event has used up all bytes. */
void beam__decode(beam__decoder *decoder, uint8_t *bytes, size_t len, size_t *consumed, beam__frame_event *event) {
  memset(event, 0, sizeof *event);
  *consumed = 0;
  if (decoder->done) {
    *consumed = len;
    return;
  }
  if (decoder->fault) {
    fail(decoder, (enum fault)decoder->fault, event);
    return;
  }
  if (!decoder->in_payload)
    *consumed = read_head(decoder, bytes, len, event);
  if (decoder->in_payload && (*consumed < len || decoder->left == 0))
    *consumed += read_payload(decoder, bytes + *consumed, len - *consumed, event);
}

static int is_between_frames(const beam__decoder *decoder) {
  return !(decoder->done | decoder->fault | decoder->in_payload | decoder->message_opcode) && !decoder->head_len;
}

size_t beam__decode_whole(const beam__decoder *decoder, const uint8_t *bytes, size_t len, beam__frame_event *event) {
  size_t head = 2, payload;
  int binary;
  if (len < 4 || decoder->role != BEAM__CLIENT || (bytes[0] != 0x81 && bytes[0] != 0x82) || bytes[1] > LENGTH_16 ||
      !is_between_frames(decoder))
    return 0;
  binary = bytes[0] == 0x82;
  payload = bytes[1];
  if (payload == LENGTH_16) {
    payload = (size_t)big_endian(bytes + 2, 2);
    head = payload < LENGTH_16 ? len : 4; /* not the fewest bytes: beam__decode refuses it */
  }
  if (payload > len - head || payload > decoder->max_message || (!binary && !beam__utf8_valid(bytes + head, payload)))
    return 0;
  *event = (beam__frame_event){.type = BEAM__FRAME_DATA,
                               .data = bytes + head,
                               .len = payload,
                               .binary = binary,
                               .first = 1,
                               .frame_end = 1,
                               .final = 1};
  return head + payload;
}

int beam__decoder_midway(const beam__decoder *decoder) {
  return decoder->head_len > 0 || decoder->in_payload || decoder->message_opcode != 0;
}

uint64_t beam__decoder_unfinished(const beam__decoder *decoder) {
  int in_data = decoder->in_payload && !(decoder->opcode & CONTROL_BIT);
  return decoder->message_opcode ? decoder->received - (in_data ? decoder->left : 0) : 0;
}

/* ---- The encoder ---- */

static unsigned put_length(uint8_t *to, uint64_t length, unsigned count) {
  unsigned at;
  for (at = 0; at < count; at++)
    to[at] = (uint8_t)(length >> 8 * (count - 1 - at));
  return count;
}

size_t beam__frame_head(uint8_t head[BEAM__FRAME_HEAD_MAX], enum beam__opcode opcode, int final, uint64_t payload_len,
                        const uint8_t *mask) {
  uint8_t mask_bit = mask ? MASK_BIT : 0;
  size_t size = 2;
  head[0] = (uint8_t)((final ? 0x80 : 0) | opcode);
  if (payload_len < LENGTH_16) {
    head[1] = (uint8_t)(mask_bit | payload_len);
  } else if (payload_len <= 0xFFFF) {
    head[1] = mask_bit | LENGTH_16;
    size += put_length(head + 2, payload_len, 2);
  } else {
    head[1] = mask_bit | LENGTH_64;
    size += put_length(head + 2, payload_len, 8);
  }
  if (mask) {
    memcpy(head + size, mask, 4);
    size += 4;
  }
  return size;
}
