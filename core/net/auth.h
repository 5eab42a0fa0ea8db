/* Credentials: when they may be sent, and how they look on the wire. */
#pragma once

#include "net/url.h"

#pragma GCC visibility push(hidden)

/* The safety rules: a secret must be there, free of CR, LF and NUL, and may not go in plain text to a host that is not
 * loopback unless `plaintext`. 0, BEAM_EAUTH or BEAM_EINVALID with a text that holds no secret. */
int beam__auth_check(const beam_auth *auth, const beam__url *url, beam_error *error);
/* As above, once the proxy is chosen (`proxy_host` NULL: none): in plain text a secret goes past it too, so it must be
 * loopback even where the URL's host is. */
int beam__auth_check_proxy(const beam_auth *auth, const beam__url *url, const char *proxy_host, beam_error *error);
/* The value of the Authorization header, or NULL where the scheme sends none; the caller frees it with beam__wipe_free.
 * *failed is set when memory ran out. */
char *beam__auth_header(const beam_auth *auth, int *failed);
/* For BEAM_AUTH_QUERY: the target with auth_token added, percent-encoded; replaces url->target. 0 or BEAM_ENO_MEMORY.
 */
int beam__auth_query(const beam_auth *auth, beam__url *url);
/* The same for "user:password", as a proxy is told them; NULL when out of memory. */
char *beam__auth_basic(const char *credentials);

#pragma GCC visibility pop
