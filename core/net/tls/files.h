/* Certificates and keys on disk. */
#pragma once

#include "beam.h"

#pragma GCC visibility push(hidden)

enum { BEAM__IDENTITY_SIZE = 32 };

/* Of whom is trusted; NULL: none is named, and this system has none. */
const char *beam__tls_ca_file(const beam_tls *tls);
/* Checks that the files of `tls` can be read and that cert_file and key_file come together. A CA file that is a pipe or
 * such is left to trust.h: reading it could block; one that the context trusts already is not read again.
 * BEAM_EINVALID.
 */
int beam__tls_check(beam_ctx *ctx, const beam_tls *tls, beam_error *error);
/* Who shows a certificate: a digest of what is in these files, of the key's passphrase, and of `more` (NULL: nothing).
 * The digest is of this process, so that that of a password says nothing to who might see it. 0 or BEAM_ENO_MEMORY. */
int beam__tls_identify(const beam_tls *files, const char *more, unsigned char identity[BEAM__IDENTITY_SIZE]);
/* An OpenSSL callback that gives `text`, a passphrase or NULL, in place of OpenSSL's own, which asks for it on the
 * terminal and so blocks. */
int beam__tls_passphrase(char *to, int size, int writing, void *text);

#pragma GCC visibility pop
