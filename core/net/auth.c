/* Credentials. Every copy of a secret that is made here is wiped before it is freed. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "internal.h"
#include "net/auth.h"

enum { TARGET_MAX = 2000 }; /* bytes: libwebsockets cuts longer ones */

static const char query_name[] = "auth_token=";

/* ---- The safety rules ---- */

static int refuse(beam_error *error, int code, const beam__url *url, const char *why) {
  return beam__error(error, code, BEAM_PHASE_NONE, url->authority, "credentials for %s refused: %s", url->authority,
                     why);
}

static int has_control_character(const char *text) {
  for (; *text; text++)
    if (beam__ascii_is_control(*text))
      return 1;
  return 0;
}

static int check_basic(const beam_auth *auth, const beam__url *url, beam_error *error) {
  if (!beam__is_given(auth->id) || !beam__is_given(auth->secret))
    return refuse(error, BEAM_EAUTH, url,
                  "the client id or the client secret is missing; set basic = {id=, secret=}, or BEAM_CLIENT_ID and "
                  "BEAM_CLIENT_SECRET");
  if (strchr(auth->id, ':') || has_control_character(auth->id))
    return refuse(error, BEAM_EINVALID, url, "the client id has a colon or a control character in it");
  return 0;
}

/* Unreserved characters as they are, RFC 3986 section 2.3. */
static int stays_plain(char byte) {
  return beam__ascii_is_letter(byte) || beam__ascii_is_digit(byte) || (byte && strchr("-._~", byte));
}

static size_t encoded_len(const char *text) {
  size_t len = 0;
  for (; *text; text++)
    len += stays_plain(*text) ? 1 : 3;
  return len;
}

static size_t query_target_len(const beam_auth *auth, const beam__url *url) {
  return strlen(url->target) + 1 + strlen(query_name) + encoded_len(auth->secret);
}

static int check_secret(const beam_auth *auth, const beam__url *url, beam_error *error) {
  int result = auth->scheme == BEAM_AUTH_BASIC ? check_basic(auth, url, error) : 0;
  if (result)
    return result;
  if (!beam__is_given(auth->secret))
    return refuse(error, BEAM_EAUTH, url,
                  "there is no token; set BEAM_TOKEN, give token = \"...\", or log in with `beam configure`");
  if (has_control_character(auth->secret))
    return refuse(error, BEAM_EINVALID, url,
                  "the secret has a line break or another control character in it (a file's last newline?)");
  if (auth->scheme == BEAM_AUTH_BEARER && strchr(auth->secret, ' '))
    return refuse(error, BEAM_EINVALID, url, "the token has a space in it; give it without \"Bearer\"");
  if (auth->scheme == BEAM_AUTH_QUERY && query_target_len(auth, url) > TARGET_MAX)
    return refuse(error, BEAM_EINVALID, url, "the token makes the URL longer than 2,000 bytes; send it as a header");
  return 0;
}

int beam__auth_check(const beam_auth *auth, const beam__url *url, beam_error *error) {
  int result;
  switch (auth->scheme) {
  case BEAM_AUTH_NONE:
    return 0;
  case BEAM_AUTH_BEARER:
  case BEAM_AUTH_BASIC:
  case BEAM_AUTH_RAW:
  case BEAM_AUTH_QUERY:
    break;
  default:
    return refuse(error, BEAM_EINVALID, url, "there is no such scheme");
  }
  if ((result = check_secret(auth, url, error)))
    return result;
  if (!url->tls && !auth->plaintext && !beam__host_is_loopback(url->host))
    return refuse(error, BEAM_EAUTH, url,
                  "the connection is not encrypted; use wss:// or https://, or allow it with insecure_auth");
  return 0;
}

int beam__auth_check_proxy(const beam_auth *auth, const beam__url *url, const char *proxy_host, beam_error *error) {
  if (auth->scheme == BEAM_AUTH_NONE || auth->plaintext || url->tls || !proxy_host ||
      beam__host_is_loopback(proxy_host))
    return 0;
  return refuse(
      error, BEAM_EAUTH, url,
      "the connection is not encrypted and goes through a proxy; use wss:// or https://, set proxy = \"\", or "
      "allow it with insecure_auth");
}

/* ---- On the wire ---- */

char *beam__auth_basic(const char *credentials) {
  static const char prefix[] = "Basic ";
  size_t len = strlen(credentials);
  char *value = malloc(sizeof prefix + 4 * ((len + 2) / 3));
  if (value) {
    memcpy(value, prefix, sizeof prefix);
    EVP_EncodeBlock((unsigned char *)value + strlen(prefix), (const unsigned char *)credentials, (int)len);
  }
  return value;
}

static char *basic(const beam_auth *auth) {
  char *credentials = beam__join(auth->id, ":", auth->secret);
  char *value = credentials ? beam__auth_basic(credentials) : NULL;
  beam__wipe_free(credentials);
  return value;
}

char *beam__auth_header(const beam_auth *auth, int *failed) {
  char *value;
  *failed = 0;
  switch (auth->scheme) {
  case BEAM_AUTH_BEARER:
    value = beam__join("Bearer ", auth->secret, "");
    break;
  case BEAM_AUTH_BASIC:
    value = basic(auth);
    break;
  case BEAM_AUTH_RAW:
    value = beam__strdup(auth->secret);
    break;
  default:
    return NULL;
  }
  *failed = !value;
  return value;
}

static char *percent_encode(char *to, const char *text) {
  static const char digits[] = "0123456789ABCDEF";
  for (; *text; text++) {
    if (stays_plain(*text)) {
      *to++ = *text;
    } else {
      *to++ = '%';
      *to++ = digits[(unsigned char)*text >> 4];
      *to++ = digits[(unsigned char)*text & 15];
    }
  }
  *to = '\0';
  return to;
}

int beam__auth_query(const beam_auth *auth, beam__url *url) {
  size_t len = strlen(url->target);
  char *target;
  if (auth->scheme != BEAM_AUTH_QUERY)
    return 0;
  if (!(target = malloc(query_target_len(auth, url) + 1)))
    return BEAM_ENO_MEMORY;
  memcpy(target, url->target, len);
  target[len] = strchr(url->target, '?') ? '&' : '?';
  memcpy(target + len + 1, query_name, strlen(query_name));
  percent_encode(target + len + 1 + strlen(query_name), auth->secret);
  beam__wipe_free(url->target);
  url->target = target;
  return 0;
}
