/* TLS sessions to be resumed: with one of them a reconnect costs a third of the processor time, and no certificate. */
#pragma once

#include <openssl/ssl.h>

#include "internal.h"

#pragma GCC visibility push(hidden)

/* Those of one SSL_CTX, so of one trust and one client certificate; bounded, the oldest go first. */
typedef struct beam__sessions {
  beam__node list;
  size_t count;
} beam__sessions;

void beam__sessions_init(beam__sessions *sessions);
void beam__sessions_free(beam__sessions *sessions);
/* Keeps one, with a reference of its own, for this "host:port". Without memory it is not kept. */
void beam__session_keep(beam__sessions *sessions, const char *peer, SSL_SESSION *session);
/* The newest that may still be used, which is the caller's from now on: a ticket of TLS 1.3 is shown once (RFC 8446
 * appendix C.4). NULL: there is none. */
SSL_SESSION *beam__session_take(beam__sessions *sessions, const char *peer);

#pragma GCC visibility pop
