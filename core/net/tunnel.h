/* CONNECT (RFC 9110 section 9.3.6): what a proxy is asked, and what its answer means. No I/O; the answer is read by
 * http1/answer.h. The host of an error is the proxy's: that is who was talked to.
 */
#pragma once

#include "net/http1/answer.h"
#include "net/proxy.h"

#pragma GCC visibility push(hidden)

/* Appends the whole head, with the proxy's credentials (Basic) if it has some: wipe it. 0 or BEAM_ENO_MEMORY. */
int beam__tunnel_request(beam__bytes *to, const beam__url *url, const beam__proxy *proxy);
/* Is the tunnel open? 0 for any 2xx; else the error of beam__tunnel_refused. */
int beam__tunnel_answered(const beam__answer *answer, const char *proxy, const char *host, beam_error *error);
/* A proxy said no: BEAM_ECONNECT, phase proxy, with the status that it gave; `proxy` and `host` as "name:port". Returns
 * the code. */
int beam__tunnel_refused(beam_error *error, int status, const char *proxy, const char *host);
/* The answer cannot be read, for which beam__answer_read returned `code`. Returns the error's code. */
int beam__tunnel_unreadable(const beam__answer *answer, int code, const char *proxy, const char *host,
                            beam_error *error);

#pragma GCC visibility pop
