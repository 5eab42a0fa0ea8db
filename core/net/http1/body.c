/* The body decoder: a length is counted down; chunks go through a small machine, a byte at a time outside of their
 * data. */
#include "net/http1/body.h"

#include <string.h>

enum {
  CHUNK_LINE_MAX = 1024, /* a size and its extensions, which are ignored */
  TRAILERS_MAX = 16384,  /* all trailer fields together, which are ignored */
  SIZE_DIGITS_MAX = 15   /* so that a size fits 60 bits */
};

enum state {
  LENGTH,     /* inside a body of known length */
  SIZE,       /* at the digits of a chunk's size */
  BLANK,      /* in white space behind them */
  EXTENSION,  /* behind a semicolon */
  SIZE_LF,    /* the line's CR was read */
  DATA,       /* inside a chunk */
  DATA_CR,    /* behind it */
  DATA_LF,    /* its CR was read */
  TRAILER,    /* at the start of a trailer line */
  TRAILER_IN, /* inside one */
  TRAILER_LF, /* its CR was read */
  LAST_LF,    /* the CR of the empty line was read */
  END,
  BAD
};

void beam__body_init(beam__body *body, int chunked, uint64_t length) {
  memset(body, 0, sizeof *body);
  body->state = chunked ? SIZE : LENGTH;
  body->left = chunked ? 0 : length;
}

static void fail(beam__body *body, const char *error) {
  body->state = BAD;
  body->error = error;
}

static int digit_value(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int is_text(char c) { return ((unsigned char)c >= ' ' && c != 0x7f) || c == '\t'; }

/* Goes on to `next` if the byte is the one that must stand here. */
static void expect(beam__body *body, char c, char wanted, enum state next) {
  if (c == wanted)
    body->state = next;
  else
    fail(body, "a chunk does not end in CR LF");
}

/* White space may stand before an extension or the end, and nothing else behind it: "5 5" is no size. */
static void read_behind_size(beam__body *body, char c) {
  if (c == '\r')
    body->state = SIZE_LF;
  else if (c == ';')
    body->state = EXTENSION;
  else if (c == ' ' || c == '\t')
    body->state = BLANK;
  else
    fail(body, "the size of a chunk is not valid");
}

static void read_extension(beam__body *body, char c) {
  if (c == '\r')
    body->state = SIZE_LF;
  else if (!is_text(c))
    fail(body, "the size of a chunk is not valid");
}

static void read_size(beam__body *body, char c) {
  int digit = digit_value(c);
  if (digit >= 0 && body->digits < SIZE_DIGITS_MAX) {
    body->left = body->left * 16 + (uint64_t)digit;
    body->digits++;
  } else if (digit >= 0 || body->digits == 0) {
    fail(body, "the size of a chunk is not valid");
  } else {
    read_behind_size(body, c);
  }
}

/* The chunk of size 0 is the last: trailers follow. */
static void begin_chunk(beam__body *body) {
  if (body->state != DATA)
    return;
  body->line_len = body->digits = 0;
  if (body->left == 0)
    body->state = TRAILER;
}

static void read_trailer(beam__body *body, char c) {
  if (c == '\r')
    body->state = body->state == TRAILER ? LAST_LF : TRAILER_LF;
  else if (is_text(c))
    body->state = TRAILER_IN;
  else
    fail(body, "a trailer is not valid");
}

static void read_byte(beam__body *body, char c) {
  unsigned bound = body->state < TRAILER ? CHUNK_LINE_MAX : TRAILERS_MAX;
  if (++body->line_len > bound) {
    fail(body, "a chunk's extensions or the trailers are too long");
    return;
  }
  switch ((enum state)body->state) {
  case SIZE:
    read_size(body, c);
    break;
  case BLANK:
    read_behind_size(body, c);
    break;
  case EXTENSION:
    read_extension(body, c);
    break;
  case SIZE_LF:
    expect(body, c, '\n', DATA), begin_chunk(body);
    break;
  case DATA_CR:
    expect(body, c, '\r', DATA_LF);
    break;
  case DATA_LF:
    expect(body, c, '\n', SIZE);
    break;
  case TRAILER:
  case TRAILER_IN:
    read_trailer(body, c);
    break;
  case TRAILER_LF:
    expect(body, c, '\n', TRAILER);
    break;
  case LAST_LF:
    expect(body, c, '\n', END);
    break;
  case LENGTH:
  case DATA:
  case END:
  case BAD:
    break;
  }
}

static enum beam__body_result take_data(beam__body *body, const char *bytes, size_t len, const char **data,
                                        size_t *data_len) {
  *data = bytes;
  *data_len = len < body->left ? len : (size_t)body->left;
  body->left -= *data_len;
  if (body->left == 0 && body->state == DATA)
    body->state = DATA_CR;
  return BEAM__BODY_DATA;
}

enum beam__body_result beam__body_decode(beam__body *body, const char *bytes, size_t len, size_t *consumed,
                                         const char **data, size_t *data_len) {
  size_t at = 0;
  enum beam__body_result result = BEAM__BODY_MORE;
  *data = NULL;
  *data_len = 0;
  if (body->state == LENGTH && body->left == 0)
    body->state = END;
  while (at < len && body->state != DATA && body->state != LENGTH && body->state != END && body->state != BAD)
    read_byte(body, bytes[at++]);
  if (body->state == BAD)
    result = BEAM__BODY_BAD;
  else if (body->state == END)
    result = BEAM__BODY_END;
  else if (at < len)
    result = take_data(body, bytes + at, len - at, data, data_len);
  *consumed = at + *data_len;
  return result;
}
