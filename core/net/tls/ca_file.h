/* A file of CA certificates, read into an X509_STORE on a thread beside the loop: 30 to 60 ms for a system's bundle,
 * and for as long as it likes if the file is a pipe or its drive is away.
 */
#pragma once

#include <openssl/x509_vfy.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

enum { BEAM__CA_FILE_MAX = 16 * 1024 * 1024 };

/* To be called before the first such thread: makes OpenSSL ready, and the process able to end while one runs. */
void beam__ca_file_prepare(void);
/* On a thread of its own: adds every certificate of the file (PEM), and frees the caller's reference to the store. 0,
 * or BEAM_EINVALID or BEAM_ENO_MEMORY and what to tell about it; `error` is "" or that. */
int beam__ca_file_load(X509_STORE *store, const char *path, char *error, size_t size);

#pragma GCC visibility pop
