#include "net/tunnel.h"

#include <stdio.h>
#include <string.h>

#include "internal.h"
#include "net/auth.h"

/* ---- The request ---- */

static int add_credentials(beam__bytes *to, const char *credentials) {
  char *value = beam__auth_basic(credentials);
  int code = value ? beam__bytes_format(to, "Proxy-Authorization: %s\r\n", value) : BEAM_ENO_MEMORY;
  beam__wipe_free(value);
  return code;
}

/* The port is always said; a zone means something on this machine only (RFC 6874 section 1). */
static void write_authority(const beam__url *url, char *to, size_t size) {
  int v6 = strchr(url->host, ':') != NULL;
  snprintf(to, size, v6 ? "[%.*s]:%u" : "%.*s:%u", (int)strcspn(url->host, "%"), url->host, url->port);
}

int beam__tunnel_request(beam__bytes *to, const beam__url *url, const beam__proxy *proxy) {
  char authority[sizeof url->authority];
  write_authority(url, authority, sizeof authority);
  if (beam__bytes_format(to, "CONNECT %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: beam-lua/" BEAM_VERSION "\r\n", authority,
                         authority) ||
      (proxy->credentials && add_credentials(to, proxy->credentials)))
    return BEAM_ENO_MEMORY;
  return beam__bytes_add(to, "\r\n", 2);
}

/* ---- The answer ---- */

static const char *advice(int status) {
  switch (status) {
  case 400:
  case 405:
  case 501:
    return ": it opens no tunnels there";
  case 401:
  case 407:
    return ": it wants (other) credentials";
  case 403:
    return ": it does not let this host or port through";
  case 404:
    return ": it knows no such host";
  case 500:
  case 502:
  case 503:
  case 504:
    return ": it did not reach that host";
  default:
    return "";
  }
}

int beam__tunnel_refused(beam_error *error, int status, const char *proxy, const char *host) {
  int code = beam__error(error, BEAM_ECONNECT, BEAM_PHASE_PROXY, proxy,
                         "the proxy %s refused a tunnel to %s with status %d%s", proxy, host, status, advice(status));
  if (error)
    error->status = status;
  return code;
}

int beam__tunnel_answered(const beam__answer *answer, const char *proxy, const char *host, beam_error *error) {
  return answer->status / 100 == 2 ? 0 : beam__tunnel_refused(error, answer->status, proxy, host);
}

int beam__tunnel_unreadable(const beam__answer *answer, int code, const char *proxy, const char *host,
                            beam_error *error) {
  char shown[64];
  if (code == BEAM_ENO_MEMORY)
    return beam__error(error, code, BEAM_PHASE_PROXY, proxy, "out of memory");
  beam__answer_shown(answer, shown, sizeof shown);
  return beam__error(error, BEAM_ECONNECT, BEAM_PHASE_PROXY, proxy,
                     "the answer of the proxy %s, asked for a tunnel to %s, cannot be read: %s (\"%s\")", proxy, host,
                     answer->error, shown);
}
