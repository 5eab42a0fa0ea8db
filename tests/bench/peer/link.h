/* A connection of the peer's: a socket, with TLS or without. Nothing here is of libbeam. */
#ifndef PEER_LINK_H
#define PEER_LINK_H

#include <openssl/ssl.h>
#include <stddef.h>

struct link {
  int fd;
  SSL *tls; /* NULL: none */
};

/* Bytes that came; 0: none now; negative: the end. With TLS the handshake is done on the way. */
long link_read(struct link *link, void *data, size_t size);
/* Bytes that were taken; 0: none now; negative: the end. What was not taken is to be offered again. */
long link_write(struct link *link, const void *data, size_t len);
/* Writes all of it, however long the system takes. */
void link_write_all(struct link *link, const void *data, size_t len);
void link_close(struct link *link);

#endif
