/* Whom a TLS connection trusts: the certificates of one CA file, as an X509_STORE that all connections of a context
 * share, WebSocket and HTTP alike.
 *
 *   profile.c, http/trust.c  ->  trust.c  cache, waiting  ->  background.c  ->  ca_file.c
 *
 * Reading a bundle takes longer than a frame, and may block: so it is done beside the loop, once for each state of the
 * file, and whoever needs it waits without blocking.
 */
#pragma once

#include <openssl/x509_vfy.h>

#include "internal.h"

#pragma GCC visibility push(hidden)

typedef struct beam__trust beam__trust;
typedef struct beam__trust_waiter { /* zero-initialise */
  beam__node node;
  void (*done)(void *user);
  void *user;
} beam__trust_waiter;

enum beam__trust_state { BEAM__TRUST_LOADING, BEAM__TRUST_READY, BEAM__TRUST_FAILED };

/* That of the file as it is now, with a reference; what is not there yet begins to load. A file that has changed is
 * another trust. NULL: out of memory. */
beam__trust *beam__trust_of(beam_ctx *ctx, const char *ca_file);
/* Was this file read, and found good, as it is now? */
int beam__trust_is_ready(beam_ctx *ctx, const char *ca_file);
/* That, with a reference; NULL: it is not. */
beam__trust *beam__trust_if_ready(beam_ctx *ctx, const char *ca_file);
/* NULL is fine. In an owned thing's `destroy` at the latest. */
void beam__trust_release(beam__trust *trust);
enum beam__trust_state beam__trust_state(const beam__trust *trust);
/* The trust's own reference. Others may be held at once, but it is complete only when the trust is ready. */
X509_STORE *beam__trust_store(const beam__trust *trust);
/* Differs from that of every other trust of the context, earlier ones too. */
unsigned beam__trust_id(const beam__trust *trust);
/* Why it failed: BEAM_EINVALID or BEAM_ENO_MEMORY, and a sentence that names the file. */
int beam__trust_code(const beam__trust *trust);
const char *beam__trust_error(const beam__trust *trust);
/* For one that is loading: calls `done` once, from a step, when it is ready or has failed. The waiter holds no
 * reference. */
void beam__trust_await(beam__trust *trust, beam__trust_waiter *waiter, void (*done)(void *user), void *user);
/* `done` will not be called. Valid for one that never waited. */
void beam__trust_forget(beam__trust_waiter *waiter);

#pragma GCC visibility pop
