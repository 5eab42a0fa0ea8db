/* Sockets, as far as systems differ. */
#include "net/socket.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#ifdef __linux__
#include <linux/sockios.h>
#endif

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
