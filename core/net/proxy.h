/* Which proxy a connection goes through: the one it was told, or the environment's. */
#pragma once

#include "net/url.h"

#pragma GCC visibility push(hidden)

typedef struct beam__proxy {
  char *host; /* NULL: none */
  unsigned port;
  char *credentials; /* "user:password", decoded, or NULL */
} beam__proxy;

/* `choice` as in beam_ws_options.proxy. From the environment: https_proxy for TLS, http_proxy (lower case only, as
 * curl) else, all_proxy for both, in either case; not for loopback, and not for what no_proxy names (suffixes, "*",
 * addresses). BEAM_EINVALID: not a URL, or of a kind that is not supported (only http:// is). */
int beam__proxy_choose(beam__proxy *proxy, const char *choice, const beam__url *url, beam_error *error);
void beam__proxy_free(beam__proxy *proxy); /* wipes */
/* "host:port" of who is connected to on the way to `url`: the proxy's, if there is one. */
void beam__proxy_peer(const beam__proxy *proxy, const beam__url *url, char *to, size_t size);

#pragma GCC visibility pop
