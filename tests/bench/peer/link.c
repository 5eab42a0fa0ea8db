#include "link.h"

#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* What OpenSSL or the system said, in the words of link.h. */
static long outcome(struct link *link, long done) {
  if (done > 0)
    return done;
  if (!link->tls)
    return done < 0 && errno == EAGAIN ? 0 : -1;
  int error = SSL_get_error(link->tls, (int)done);
  ERR_clear_error();
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

long link_read(struct link *link, void *data, size_t size) {
  return outcome(link, link->tls ? SSL_read(link->tls, data, (int)size) : recv(link->fd, data, size, 0));
}

long link_write(struct link *link, const void *data, size_t len) {
  return outcome(link, link->tls ? SSL_write(link->tls, data, (int)len) : send(link->fd, data, len, MSG_NOSIGNAL));
}

void link_write_all(struct link *link, const void *data, size_t len) {
  const char *from = data;
  while (len) {
    long done = link_write(link, from, len);
    if (done < 0)
      return;
    from += done;
    len -= (size_t)done;
    if (len) {
      struct pollfd writable = {.fd = link->fd, .events = POLLOUT};
      poll(&writable, 1, -1);
    }
  }
}

void link_close(struct link *link) {
  if (link->tls) {
    SSL_shutdown(link->tls);
    SSL_free(link->tls);
    ERR_clear_error();
  }
  close(link->fd);
}
