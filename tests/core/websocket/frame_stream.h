/* What the codec makes of some bytes, written as a text, so that two ways of cutting the same bytes can be compared:
 *
 *   text(Hel)- ping(x) more(lo). close(1000 bye)      `-`: the frame ends, `.`: the message ends
 *
 * Pieces of one frame are merged. Every chunk ends at an unreadable page, and what must hold for every event is checked
 * on the way: a breach is written into the text as well, where no expectation has it.
 */
#ifndef BEAM_FRAME_STREAM_H
#define BEAM_FRAME_STREAM_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "websocket/frame.h"

#define BREACH "\\!" /* cannot come from a payload, which is escaped */

enum { GUARDED_SIZE = 1 << 20, PAGE_SIZE_MAX = 1 << 16 };

/* `len` bytes, up to GUARDED_SIZE, in front of an unreadable page; each call gives the same memory again. */
static inline uint8_t *guarded(size_t len) {
  static uint8_t *memory;
  if (!memory) {
    memory = mmap(NULL, GUARDED_SIZE + PAGE_SIZE_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory + GUARDED_SIZE, PAGE_SIZE_MAX, PROT_NONE) != 0 || len > GUARDED_SIZE)
      abort();
  }
  return memory + GUARDED_SIZE - len;
}

static inline uint8_t *guarded_copy(const void *bytes, size_t len) {
  uint8_t *copy = guarded(len);
  if (len > 0)
    memcpy(copy, bytes, len);
  return copy;
}

struct stream {
  beam__decoder decoder;
  char *text;
  size_t len, size;
  int in_frame; /* a piece was written and its frame goes on */
  size_t pieces;
};

static inline void stream_init(struct stream *stream, enum beam__role role, uint64_t max_message) {
  memset(stream, 0, sizeof *stream);
  beam__decoder_init(&stream->decoder, role, max_message);
  stream->text = calloc(1, stream->size = 256);
  if (!stream->text)
    abort();
}

static inline void stream_free(struct stream *stream) { free(stream->text); }

static inline void stream_put(struct stream *stream, const char *format, ...) {
  va_list arguments;
  if (stream->size - stream->len < 256) {
    stream->text = realloc(stream->text, stream->size *= 2);
    if (!stream->text)
      abort();
  }
  va_start(arguments, format);
  stream->len += (size_t)vsnprintf(stream->text + stream->len, stream->size - stream->len, format, arguments);
  va_end(arguments);
}

static inline void stream_put_bytes(struct stream *stream, const uint8_t *bytes, size_t len) {
  for (; len > 0; len--, bytes++)
    stream_put(stream, *bytes < ' ' || *bytes > '~' || strchr("()\\", *bytes) ? "\\%02X" : "%c", *bytes);
}

static inline void stream_put_data(struct stream *stream, const beam__frame_event *event) {
  if (!stream->in_frame)
    stream_put(stream, "%s%s(", stream->len ? " " : "", !event->first ? "more" : event->binary ? "binary" : "text");
  else if (event->first)
    stream_put(stream, BREACH "`first` twice");
  stream_put_bytes(stream, event->data, event->len);
  stream->in_frame = !event->frame_end;
  stream->pieces++;
  if (event->frame_end)
    stream_put(stream, event->final ? ")." : ")-");
  else if (event->final)
    stream_put(stream, BREACH "`final` without `frame_end`");
  if (event->len == 0 && !event->frame_end)
    stream_put(stream, BREACH "an empty piece that ends nothing");
  if (!event->binary && !beam__utf8_valid(event->data, event->len))
    stream_put(stream, BREACH "a piece of text that is not UTF-8");
}

static inline void stream_put_event(struct stream *stream, const beam__frame_event *event) {
  if (event->type == BEAM__FRAME_DATA) {
    stream_put_data(stream, event);
    return;
  }
  if (stream->len > 0)
    stream_put(stream, " ");
  if (event->type == BEAM__FRAME_ERROR) {
    stream_put(stream, "error(%d %.*s)", event->code, (int)strcspn(event->error, "("), event->error);
    return;
  }
  stream_put(stream, event->type == BEAM__FRAME_PING ? "ping(" : event->type == BEAM__FRAME_PONG ? "pong(" : "close(");
  if (event->type == BEAM__FRAME_CLOSE)
    stream_put(stream, event->len ? "%d " : "%d", event->code);
  stream_put_bytes(stream, event->data, event->len);
  stream_put(stream, ")");
}

/* Decodes one chunk to its end. */
static inline void stream_feed(struct stream *stream, const void *bytes, size_t len) {
  uint8_t *chunk = guarded_copy(bytes, len);
  beam__frame_event event;
  size_t used;
  do {
    beam__decode(&stream->decoder, chunk, len, &used, &event);
    if (used > len || (event.type == BEAM__FRAME_MORE && used != len)) {
      stream_put(stream, BREACH "%zu of %zu bytes used", used, len);
      return;
    }
    chunk += used;
    len -= used;
    if (event.type != BEAM__FRAME_MORE)
      stream_put_event(stream, &event);
  } while (event.type != BEAM__FRAME_MORE);
}

#endif
