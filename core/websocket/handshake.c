/* The opening handshake: a GET of our own making, an answer read to the letter, and OpenSSL's base64 and SHA-1. */
#include "websocket/handshake.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/ascii.h"
#include "base/random.h"
#include "internal.h"

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455 section 1.3 */
#define BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

enum { KEY_LEN = BEAM__KEY_SIZE - 1, KEY_DIGITS = 22, NONCE_SIZE = 16, SHA1_SIZE = 20 };

/* ---- Key and accept ---- */

void beam__handshake_key(char key[BEAM__KEY_SIZE]) {
  uint8_t nonce[NONCE_SIZE];
  beam__random(nonce, sizeof nonce);
  EVP_EncodeBlock((unsigned char *)key, nonce, sizeof nonce);
}

static int key_valid(const char *key) {
  return strspn(key, BASE64) == KEY_DIGITS && strcmp(key + KEY_DIGITS, "==") == 0;
}

int beam__handshake_accept(const char *key, char accept[BEAM__ACCEPT_SIZE]) {
  char text[KEY_LEN + sizeof GUID];
  unsigned char digest[SHA1_SIZE];
  accept[0] = '\0';
  if (!key_valid(key))
    return BEAM_EINVALID;
  memcpy(text, key, KEY_LEN);
  memcpy(text + KEY_LEN, GUID, sizeof GUID);
  if (EVP_Digest(text, sizeof text - 1, digest, NULL, EVP_sha1(), NULL) != 1)
    return BEAM_ENO_MEMORY;
  EVP_EncodeBlock((unsigned char *)accept, digest, sizeof digest);
  return 0;
}

/* ---- The request ---- */

static const char protocol_name[] = "sec-websocket-protocol";

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
      if (beam__ascii_same(headers[i].name, ours[k]))
        code = beam__invalid(error, "the header %.80s is part of the WebSocket handshake and cannot be set",
                             headers[i].name);
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
  code |= beam__bytes_add(to, "\r\n", 2);
  return code ? BEAM_ENO_MEMORY : 0;
}

int beam__handshake_request(beam__bytes *to, const beam__url *url, const char *authorization,
                            const beam_header *headers, size_t count, const char *key, beam_error *error) {
  int code = check_headers(headers, count, error);
  if (code)
    return code;
  if (add_head(to, url, authorization, headers, count, key))
    return beam__no_memory(error);
  if (to->len > BEAM__HANDSHAKE_HEAD_MAX)
    return beam__error(error, BEAM_ETOO_LARGE, BEAM_PHASE_NONE, NULL,
                       "the request's headers take %zu bytes; the limit is %d", to->len, BEAM__HANDSHAKE_HEAD_MAX);
  return 0;
}

/* One list of all lines of this name. */
static int join(beam__bytes *list, const beam_header *headers, size_t count, const char *name) {
  size_t i;
  int code = 0;
  for (i = 0; i < count; i++)
    if (beam__ascii_same(headers[i].name, name))
      code |= beam__bytes_format(list, "%s%s", list->len ? ", " : "", headers[i].value);
  return code | beam__bytes_add(list, "", 1);
}

char *beam__handshake_offer(const beam_header *headers, size_t count) {
  beam__bytes list = {0};
  if (join(&list, headers, count, protocol_name) == 0)
    return list.at;
  beam__bytes_free(&list);
  return NULL;
}

/* ---- What a 101 says ---- */

static const char *check_upgrade(const beam_header *headers, size_t count) {
  if (!beam__header_lists(headers, count, "upgrade", "websocket"))
    return "its Upgrade header is not \"websocket\"";
  if (!beam__header_lists(headers, count, "connection", "upgrade"))
    return "its Connection header does not hold \"Upgrade\"";
  return NULL;
}

static const char *check_accept(const beam_header *headers, size_t count, const char *accept) {
  static const char name[] = "sec-websocket-accept";
  if (!beam__header_count(headers, count, name))
    return "it has no Sec-WebSocket-Accept";
  if (beam__header_count(headers, count, name) > 1)
    return "it has more than one Sec-WebSocket-Accept";
  if (strcmp(beam__header_find(headers, count, name), accept) != 0)
    return "its Sec-WebSocket-Accept does not belong to our key: a cache or a server that does not speak WebSocket";
  return NULL;
}

/* Of the subprotocols that were offered one may be chosen, on however many lines. */
static const char *check_protocol(const beam_header *headers, size_t count, const char *offer) {
  beam__slice chosen = {NULL, 0}, element;
  size_t i;
  for (i = 0; i < count; i++) {
    beam__slice list = beam__slice_of(headers[i].value);
    if (!beam__ascii_same(headers[i].name, protocol_name))
      continue;
    while (beam__list_next(&list, &element)) {
      if (!beam__list_holds(beam__slice_of(offer), element))
        return "it chose a subprotocol that was not offered (Sec-WebSocket-Protocol)";
      if (chosen.len && !beam__slice_same(chosen, element))
        return "it chose more than one subprotocol (Sec-WebSocket-Protocol)";
      chosen = element;
    }
  }
  return NULL;
}

/* What is wrong with the 101, or NULL. Of lengths nothing is asked: a 101 ends with its head (RFC 9110 section 15.2).
 */
static const char *fault(const beam__answer *answer, const char *accept, const char *offer) {
  const beam_header *headers = answer->headers;
  size_t count = answer->header_count;
  const char *wrong = check_upgrade(headers, count);
  if (!wrong)
    wrong = check_accept(headers, count, accept);
  if (!wrong && !beam__header_is_empty(headers, count, "sec-websocket-extensions"))
    wrong = "it uses an extension that was not offered (Sec-WebSocket-Extensions)";
  return wrong ? wrong : check_protocol(headers, count, offer);
}

static int answered(beam_error *error, int code, int status) {
  if (error) {
    error->status = status;
    error->sent = 1;
  }
  return code;
}

int beam__handshake_agrees(const beam__answer *answer, const char *key, const char *offer, const char *host,
                           beam_error *error) {
  char accept[BEAM__ACCEPT_SIZE];
  const char *wrong;
  if (beam__handshake_accept(key, accept)) /* the key is ours, and valid */
    return answered(error, beam__error(error, BEAM_ENO_MEMORY, BEAM_PHASE_UPGRADE, host, "out of memory"),
                    answer->status);
  wrong = fault(answer, accept, offer);
  if (!wrong)
    return 0;
  return answered(error,
                  beam__error(error, BEAM_EHANDSHAKE, BEAM_PHASE_UPGRADE, host,
                              "%s answered the upgrade with a 101 that is not valid: %s", host, wrong),
                  answer->status);
}

/* ---- Any other answer ---- */

#define NOT_PASSED_ON "something on the way (a proxy, a load balancer) does not pass the Upgrade header on"

static const char *advice(int status) {
  switch (status) {
  case 200:
    return ": this address serves HTTP, not a WebSocket, or " NOT_PASSED_ON;
  case 400:
    return ": the server found the request wrong, or " NOT_PASSED_ON;
  case 401:
    return ": check the token";
  case 403:
    return ": these credentials may not do this";
  case 404:
    return ": nothing is deployed at this address";
  case 426:
    return ": the server wants another protocol, or " NOT_PASSED_ON;
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

void beam__handshake_refused(const beam__answer *answer, const char *host, beam_error *error) {
  beam__error(error, BEAM_EHANDSHAKE, BEAM_PHASE_UPGRADE, host, "%s answered the upgrade with status %d%s", host,
              answer->status, advice(answer->status));
  answered(error, BEAM_EHANDSHAKE, answer->status);
}

int beam__handshake_unreadable(const beam__answer *answer, int code, const char *host, beam_error *error) {
  char shown[64];
  beam__answer_shown(answer, shown, sizeof shown);
  if (code == BEAM_ENO_MEMORY)
    beam__error(error, code, BEAM_PHASE_UPGRADE, host, "out of memory");
  else
    code = beam__error(error, BEAM_EHANDSHAKE, BEAM_PHASE_UPGRADE, host,
                       "the answer of %s to the upgrade cannot be read: %s (\"%s\")", host, answer->error, shown);
  return answered(error, code, 0);
}
