/* The two values of the opening handshake that are computed, RFC 6455 section 4. */
#ifndef BEAM_HANDSHAKE_H
#define BEAM_HANDSHAKE_H

#pragma GCC visibility push(hidden)

enum { BEAM__KEY_SIZE = 25, BEAM__ACCEPT_SIZE = 29 }; /* with the NUL */

/* A fresh Sec-WebSocket-Key. */
void beam__handshake_key(char key[BEAM__KEY_SIZE]);
/* The Sec-WebSocket-Accept that answers `key`, without white space around it. 0; BEAM_EINVALID if `key` is not the
 * base64 of 16 bytes (section 4.2.1, 5), BEAM_ENO_MEMORY; *accept is then "". */
int beam__handshake_accept(const char *key, char accept[BEAM__ACCEPT_SIZE]);

#pragma GCC visibility pop

#endif
