/* A BIO that can only write, to a socket it does not own. */
#include "net/tls/quiet_bio.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/socket.h>

static BIO_METHOD *method; /* for the life of the process */
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static int write_quietly(BIO *bio, const char *data, int len) {
  int fd = (int)(intptr_t)BIO_get_data(bio);
  ssize_t sent = send(fd, data, (size_t)len, MSG_NOSIGNAL);
  BIO_clear_retry_flags(bio);
  if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
    BIO_set_retry_write(bio);
  return (int)sent;
}

static long control(BIO *bio, int command, long number, void *pointer) {
  (void)bio, (void)number, (void)pointer;
  return command == BIO_CTRL_FLUSH;
}

static void make_method(void) {
  BIO_METHOD *made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without SIGPIPE");
  if (!made)
    return;
  BIO_meth_set_write(made, write_quietly);
  BIO_meth_set_ctrl(made, control);
  method = made;
}

void beam__quiet_bio_use(SSL *ssl) {
  BIO *bio;
  pthread_once(&method_once, make_method);
  bio = method ? BIO_new(method) : NULL;
  if (!bio)
    return;
  BIO_set_data(bio, (void *)(intptr_t)SSL_get_fd(ssl));
  BIO_set_init(bio, 1);
  SSL_set0_wbio(ssl, bio);
}
