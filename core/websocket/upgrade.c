/* The opening handshake: a GET of our own making, and an answer read to the letter. */
#include "websocket/upgrade.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "internal.h"

enum { ANSWER_HEADERS_MAX = 128 };

/* ---- The request ---- */

static const char *const ours[] = {"upgrade",
                                   "connection",
                                   "sec-websocket-key",
                                   "sec-websocket-version",
                                   "sec-websocket-accept",
                                   "sec-websocket-extensions",
                                   "content-length",
                                   "transfer-encoding",
                                   "expect"};

static int check_headers(const beam_header *headers, size_t count, beam_error *error) {
  size_t i, k;
  int code = beam__headers_check(headers, count, error);
  for (i = 0; !code && i < count; i++)
    for (k = 0; k < sizeof ours / sizeof *ours; k++)
      if (strcasecmp(headers[i].name, ours[k]) == 0)
        code = beam__error(error, BEAM_EINVALID, BEAM_PHASE_NONE, NULL,
                           "the header %.80s is part of the WebSocket handshake and cannot be set", headers[i].name);
  return code;
}

static int add_unless_given(beam__bytes *to, const beam_header *headers, size_t count, const char *name,
                            const char *value) {
  if (!value || beam__header_find(headers, count, name))
    return 0;
  return beam__bytes_format(to, "%s: %s\r\n", name, value);
}

static int add_head(beam__bytes *to, const beam__url *url, const char *authorization, const beam_header *headers,
                    size_t count, const char *key) {
  char host[280];
  size_t i;
  int code = beam__bytes_format(to, "GET %s HTTP/1.1\r\n", url->target);
  beam__url_host_header(url, host, sizeof host);
  code |= add_unless_given(to, headers, count, "Host", host);
  code |= beam__bytes_format(to,
                             "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                             "Sec-WebSocket-Key: %s\r\n",
                             key);
  code |= add_unless_given(to, headers, count, "User-Agent", "beam-lua/" BEAM_VERSION);
  code |= add_unless_given(to, headers, count, "Authorization", authorization);
  for (i = 0; i < count; i++)
    code |= beam__bytes_format(to, "%s: %s\r\n", headers[i].name, headers[i].value);
  return code ? BEAM_ENO_MEMORY : 0;
}

int beam__upgrade_request(beam__bytes *to, const beam__url *url, const char *authorization, const beam_header *headers,
                          size_t count, const char *key, beam_error *error) {
  int code = check_headers(headers, count, error);
  if (code)
    return code;
  if (add_head(to, url, authorization, headers, count, key))
    return beam__error(error, BEAM_ENO_MEMORY, BEAM_PHASE_NONE, NULL, "out of memory");
  if (to->len > BEAM__UPGRADE_HEAD_MAX)
    return beam__error(error, BEAM_ETOO_LARGE, BEAM_PHASE_NONE, NULL,
                       "the request's headers take %zu bytes; the limit is %d", to->len, BEAM__UPGRADE_HEAD_MAX);
  return 0;
}

/* ---- The answer ---- */

void beam__answer_free(beam__answer *answer) {
  free(answer->headers);
  free(answer->text);
  memset(answer, 0, sizeof *answer);
}

static int read_status(beam__answer *answer, const char *line) {
  if (strncmp(line, "HTTP/1.", 7) || !isdigit((unsigned char)line[7]) || line[8] != ' ' ||
      strspn(line + 9, "0123456789") != 3)
    return BEAM_EPROTOCOL;
  answer->status = atoi(line + 9);
  return 0;
}

static char *trim(char *text) {
  char *end;
  text += strspn(text, " \t");
  end = text + strlen(text);
  while (end > text && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
    *--end = 0;
  return text;
}

/* A line without a colon is passed over, as are headers beyond the bound. */
static void read_header(beam__answer *answer, char *line) {
  char *colon = strchr(line, ':'), *at;
  if (!colon || colon == line || answer->header_count == ANSWER_HEADERS_MAX)
    return;
  *colon = 0;
  for (at = line; *at; at++)
    *at = (char)tolower((unsigned char)*at);
  answer->headers[answer->header_count++] = (beam_header){trim(line), trim(colon + 1)};
}

static void read_headers(beam__answer *answer, char *at) {
  char *line, *rest = at;
  while ((line = strsep(&rest, "\n")))
    read_header(answer, line);
}

int beam__answer_parse(beam__answer *answer, const char *bytes, size_t len) {
  const char *end = memmem(bytes, len, "\r\n\r\n", 4);
  char *line_end;
  size_t size = end ? (size_t)(end - bytes) : len;
  memset(answer, 0, sizeof *answer);
  answer->text = calloc(1, size + 1);
  answer->headers = calloc(ANSWER_HEADERS_MAX, sizeof *answer->headers);
  if (!answer->text || !answer->headers) {
    beam__answer_free(answer);
    return BEAM_ENO_MEMORY;
  }
  memcpy(answer->text, bytes, size);
  if (read_status(answer, answer->text)) {
    beam__answer_free(answer);
    return BEAM_EPROTOCOL;
  }
  line_end = strchr(answer->text, '\n');
  if (line_end)
    read_headers(answer, line_end + 1);
  return end != NULL;
}

/* ---- Its meaning ---- */

static int lists(const char *value, const char *token) {
  size_t len = strlen(token);
  while (value && *value) {
    value += strspn(value, " \t,");
    if (strncasecmp(value, token, len) == 0 && value[len + strspn(value + len, " \t")] != 0 &&
        value[len + strspn(value + len, " \t")] != ',')
      value += len;
    else if (strncasecmp(value, token, len) == 0)
      return 1;
    value += strcspn(value, ",");
  }
  return 0;
}

/* What is wrong with the 101, or NULL. */
static const char *fault(const beam__answer *answer, const char *accept, const char *protocols) {
  const beam_header *headers = answer->headers;
  size_t count = answer->header_count;
  const char *upgrade = beam__header_find(headers, count, "upgrade");
  const char *accepted = beam__header_find(headers, count, "sec-websocket-accept");
  const char *protocol = beam__header_find(headers, count, "sec-websocket-protocol");
  if (!upgrade || strcasecmp(upgrade, "websocket"))
    return "its Upgrade header is not \"websocket\"";
  if (!lists(beam__header_find(headers, count, "connection"), "upgrade"))
    return "its Connection header does not hold \"Upgrade\"";
  if (!accepted)
    return "it has no Sec-WebSocket-Accept";
  if (strcmp(accepted, accept))
    return "its Sec-WebSocket-Accept does not belong to our key: a cache or a server that does not speak WebSocket";
  if (beam__header_find(headers, count, "sec-websocket-extensions"))
    return "it uses an extension that was not offered (Sec-WebSocket-Extensions)";
  if (protocol && (!*protocol || strchr(protocol, ',') || !lists(protocols, protocol)))
    return "it chose a subprotocol that was not offered (Sec-WebSocket-Protocol)";
  if (beam__header_find(headers, count, "content-length") || beam__header_find(headers, count, "transfer-encoding"))
    return "it announces a body, which a 101 cannot have (Content-Length or Transfer-Encoding)";
  return NULL;
}

int beam__answer_accepts(const beam__answer *answer, const char *key, const char *protocols, const char *host,
                         beam_error *error) {
  char accept[BEAM__ACCEPT_SIZE];
  const char *wrong;
  int code = beam__handshake_accept(key, accept);
  wrong = code ? "its Sec-WebSocket-Accept could not be checked" : fault(answer, accept, protocols);
  if (!wrong)
    return 0;
  code = beam__error(error, BEAM_EHANDSHAKE, BEAM_PHASE_UPGRADE, host,
                     "%s answered the upgrade with a 101 that is not valid: %s", host, wrong);
  error->status = answer->status;
  error->sent = 1;
  return code;
}

static const char *advice(int status) {
  switch (status) {
  case 200:
    return ": this address serves HTTP, not a WebSocket";
  case 400:
    return ": the server found the request wrong";
  case 401:
    return ": check the token";
  case 403:
    return ": these credentials may not do this";
  case 404:
    return ": nothing is deployed at this address";
  case 426:
    return ": the server wants another protocol";
  case 429:
    return ": too many requests wait there";
  case 502:
  case 503:
  case 504:
    return ": the server has no backend to give it to";
  default:
    return status >= 300 && status < 400 ? ": redirects are not followed" : "";
  }
}

void beam__answer_rejects(const beam__answer *answer, const char *host, beam_error *error) {
  beam__error(error, BEAM_EHANDSHAKE, BEAM_PHASE_UPGRADE, host, "%s answered the upgrade with status %d%s", host,
              answer->status, advice(answer->status));
  error->status = answer->status;
  error->sent = 1;
}
