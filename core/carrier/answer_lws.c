/* libwebsockets 4.1.6 to 5.0 read into the context's service buffer, LWS_PRE bytes from its start, and parse there; we
 * keep it zero between uses. A head that came in one read lies there whole. One that came in pieces was
 * overwritten: then what libwebsockets knows by name is asked for.
 */
#include "carrier/answer_lws.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "websocket/handshake.h"

/* Headers that matter to Beam and that it does not know. */
static const char *const further[] = {"x-task-id:", "x-request-id:", "retry-after:", "x-error:", "server-timing:"};

enum { VALUE_MAX = 4096 };

/* A whole head in these bytes: 1. */
static int parse(beam__answer *answer, const char *bytes, size_t len) {
  size_t used;
  return beam__answer_read(answer, bytes, len, &used);
}

static void add_value(beam__bytes *head, const char *name, const char *value, int *failed) {
  *failed |= beam__bytes_format(head, "%s %s\r\n", name, value);
}

static void add_known(struct lws *wsi, beam__bytes *head, char *value, int *failed) {
  int token;
  for (token = 0; token < WSI_TOKEN_COUNT; token++) {
    const char *name = (const char *)lws_token_to_string((enum lws_token_indexes)token);
    size_t len = name ? strlen(name) : 0;
    if (len < 2 || name[0] == ':' || name[len - 1] != ':')
      continue;
    if (lws_hdr_copy(wsi, value, VALUE_MAX, (enum lws_token_indexes)token) > 0)
      add_value(head, name, value, failed);
  }
}

static int answer_by_names(struct lws *wsi, beam__answer *answer) {
  beam__bytes head = {0};
  char *value = malloc(VALUE_MAX);
  size_t i;
  int failed = !value || beam__bytes_format(&head, "HTTP/1.1 %u \r\n", lws_http_client_http_response(wsi));
  if (!failed)
    add_known(wsi, &head, value, &failed);
  for (i = 0; !failed && i < sizeof further / sizeof *further; i++)
    if (lws_hdr_custom_copy(wsi, value, VALUE_MAX, further[i], (int)strlen(further[i])) > 0)
      add_value(&head, further[i], value, &failed);
  failed |= beam__bytes_add(&head, "\r\n", 2);
  if (!failed)
    failed = parse(answer, head.at, head.len) != 1;
  beam__bytes_free(&head);
  free(value);
  return failed ? BEAM_ENO_MEMORY : 0;
}

static const char *came(const struct beam__lws *lws) { return lws->service + LWS_PRE; }

/* 1: a whole head lies there. */
static int take(struct beam__lws *lws, beam__answer *answer) {
  int whole = lws->service ? parse(answer, came(lws), BEAM__SERVICE_SIZE - LWS_PRE) : 0;
  if (whole != 1)
    beam__answer_free(answer);
  return whole == 1;
}

static void wipe(struct beam__lws *lws) {
  if (lws->service)
    memset(lws->service, 0, BEAM__SERVICE_SIZE);
}

int beam__answer_of(struct lws *wsi, struct beam__lws *lws, beam__answer *answer) {
  int whole = take(lws, answer);
  wipe(lws);
  if (whole && answer->status == (int)lws_http_client_http_response(wsi))
    return 0;
  beam__answer_free(answer);
  return answer_by_names(wsi, answer);
}

/* While a request lies there too, nothing can be said: it might be taken for a part of the answer. */
int beam__answer_refused(struct beam__lws *lws, beam__answer *answer) {
  if (!lws->requested && take(lws, answer) && answer->status != 101) {
    wipe(lws);
    return 1;
  }
  beam__answer_free(answer);
  return 0;
}

/* The answer of a proxy lies at the very start of the buffer, and its 14th byte is overwritten. */
int beam__answer_of_proxy(struct beam__lws *lws) {
  const char *at = lws->service;
  if (!at || strncmp(at, "HTTP/1.", 7) || !beam__ascii_is_digit(at[9]))
    return 0;
  return atoi(at + 9);
}

void beam__lws_shown(struct beam__lws *lws, char *to, size_t size) {
  const char *at = lws->service && !lws->requested ? came(lws) : "";
  size_t used = 0;
  while (used + 1 < size && used < 60 && *at && *at != '\r' && *at != '\n') {
    to[used++] = *at >= ' ' && *at <= '~' ? *at : '.';
    at++;
  }
  to[used] = 0;
  wipe(lws);
}
