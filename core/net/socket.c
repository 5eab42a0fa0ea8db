/* Sockets, as far as systems differ. */
#include "net/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#ifdef __linux__
#include <linux/sockios.h>
#endif

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* then SO_NOSIGPIPE is there (macOS) */
#endif

void beam__socket_adopt(int fd) {
  int on = 1;
  fcntl(fd, F_SETFD, fcntl(fd, F_GETFD) | FD_CLOEXEC);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
#ifdef SO_NOSIGPIPE
  setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
}

int beam__socket_open(int family) {
  int type = SOCK_STREAM, fd;
#ifdef SOCK_CLOEXEC
  type |= SOCK_CLOEXEC;
#endif
  fd = socket(family, type, 0);
  if (fd >= 0)
    beam__socket_adopt(fd);
  return fd;
}

int beam__socket_error(int fd) {
  int system = 0;
  socklen_t size = sizeof system;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &system, &size) ? errno : system;
}

void beam__socket_peer(int fd, char *text, size_t size) {
  struct sockaddr_storage address;
  socklen_t len = sizeof address;
  char host[INET6_ADDRSTRLEN] = "", port[8];
  *text = '\0';
  if (getpeername(fd, (struct sockaddr *)&address, &len) == 0 &&
      getnameinfo((struct sockaddr *)&address, len, host, sizeof host, port, sizeof port,
                  NI_NUMERICHOST | NI_NUMERICSERV) == 0)
    snprintf(text, size, address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

/* A uv_buf_t is an iovec on Unix. */
ssize_t beam__socket_send(int fd, const uv_buf_t *pieces, unsigned count) {
  struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)pieces, .msg_iovlen = count};
  ssize_t sent;
  do
    sent = count == 1 ? send(fd, pieces->base, pieces->len, MSG_NOSIGNAL) : sendmsg(fd, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent < 0)
    return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : uv_translate_sys_error(errno);
  return sent;
}

void beam__socket_reset_on_close(int fd) {
  struct linger at_once = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void beam__socket_limit_silence(int fd, unsigned ms) {
#ifdef TCP_USER_TIMEOUT
  if (ms)
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
#else
  (void)fd, (void)ms;
#endif
}

size_t beam__socket_unacknowledged(int fd) {
  int count = 0;
#if defined(SIOCOUTQ)
  if (fd < 0 || ioctl(fd, SIOCOUTQ, &count))
    return 0;
#elif defined(SO_NWRITE)
  socklen_t size = sizeof count;
  if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NWRITE, &count, &size))
    return 0;
#else
  (void)fd;
#endif
  return count > 0 ? (size_t)count : 0;
}

unsigned beam__socket_unanswered_ms(int fd) {
#ifdef __linux__
  struct tcp_info info;
  socklen_t size = sizeof info;
  if (fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size))
    return 0;
  return info.tcpi_unacked || info.tcpi_probes ? info.tcpi_last_ack_recv : 0;
#else
  (void)fd;
  return 0;
#endif
}
