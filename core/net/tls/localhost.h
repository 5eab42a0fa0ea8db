/* A certificate for this machine's own names, signed by itself: who is told to trust it trusts it alone, for it may
 * sign no other.
 */
#pragma once

#include "base/bytes.h"

#pragma GCC visibility push(hidden)

enum { BEAM__LOCALHOST_DAYS = 825 };

/* Appends the certificate (localhost, *.localhost, 127.0.0.1, ::1) and its key as PEM; wipe the latter. 0 or
 * BEAM_ENO_MEMORY, also if OpenSSL refused. */
int beam__tls_localhost(beam__bytes *certificate, beam__bytes *key);

#pragma GCC visibility pop
