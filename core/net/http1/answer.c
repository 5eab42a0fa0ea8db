#include "net/http1/answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "net/http1/head.h"

static int keep(beam__answer *answer, const beam__head *head) {
  char *to = answer->text = malloc(head->fields.len + 1);
  answer->headers = calloc(head->field_count + 1, sizeof *answer->headers);
  if (!answer->text || !answer->headers)
    return BEAM_ENO_MEMORY;
  beam__head_copy(head, answer->headers, &to);
  answer->header_count = head->field_count;
  answer->status = head->status;
  beam__bytes_free(&answer->came);
  return 1;
}

/* ---- Heads, until one is not interim ---- */

static int is_interim(int status) { return status < 200 && status != 101; }

static int take_head(beam__answer *answer, const beam__head *head, size_t len) {
  if (!is_interim(head->status))
    return keep(answer, head);
  beam__bytes_skip(&answer->came, len);
  answer->seen = 0;
  if (++answer->interim <= BEAM__INTERIM_MAX)
    return 0;
  answer->error = "it is the 33rd interim answer (1xx)";
  return BEAM_EPROTOCOL;
}

/* How many bytes of a piece are looked at: enough for a head that is as long as one may be. */
static size_t wanted(const beam__answer *answer, size_t len) {
  size_t room = BEAM__ANSWER_HEAD_MAX - answer->came.len;
  return len < room ? len : room;
}

/* What was looked at and not taken belongs to what follows the head. */
static int read_heads(beam__answer *answer, size_t *left) {
  beam__head head;
  int taken, result = 0;
  do {
    taken = beam__head_parse(&head, BEAM__HEAD_ANSWER, answer->came.at, answer->came.len, answer->seen);
    answer->seen = answer->came.len;
    if (taken > 0) {
      *left = answer->came.len - (size_t)taken;
      result = take_head(answer, &head, (size_t)taken);
    }
  } while (taken > 0 && !result && answer->came.len);
  if (taken < 0)
    answer->error = head.error;
  if (taken < 0)
    return -taken == 431 ? BEAM_ETOO_LARGE : BEAM_EPROTOCOL;
  return result;
}

int beam__answer_read(beam__answer *answer, const void *data, size_t len, size_t *used) {
  const char *at = data;
  size_t left = 0, piece;
  int result = 0;
  for (*used = 0; !result && *used < len; *used += piece - (result == 1 ? left : 0)) {
    piece = wanted(answer, len - *used);
    if (beam__bytes_add(&answer->came, at + *used, piece))
      return BEAM_ENO_MEMORY;
    result = read_heads(answer, &left);
  }
  return result;
}

void beam__answer_shown(const beam__answer *answer, char *to, size_t size) {
  size_t i;
  for (i = 0; i + 1 < size && i < answer->came.len; i++) {
    char c = answer->came.at[i];
    if (c == '\r' || c == '\n')
      break;
    to[i] = beam__ascii_is_control(c) || (unsigned char)c > 0x7f ? '.' : c;
  }
  to[i] = '\0';
}

void beam__answer_free(beam__answer *answer) {
  free(answer->headers);
  free(answer->text);
  beam__bytes_free(&answer->came);
  memset(answer, 0, sizeof *answer);
}
