/* The reference: a blocking TCP ping-pong of 64 bytes.   usage: tcp_echo PORT ROUNDS   prints the median in
 * microseconds */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"

int main(int argc, char **argv) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  size_t rounds = argc > 2 ? (size_t)atol(argv[2]) : 20000;
  double *times = calloc(rounds, sizeof *times);
  char buffer[64] = {0};
  int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
  address.sin_port = htons((uint16_t)atoi(argv[1]));
  if (connect(fd, (struct sockaddr *)&address, sizeof address))
    return 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  for (size_t i = 0; i < rounds; i++) {
    double start = now();
    if (send(fd, buffer, sizeof buffer, 0) != sizeof buffer ||
        recv(fd, buffer, sizeof buffer, MSG_WAITALL) != sizeof buffer)
      return 1;
    times[i] = now() - start;
  }
  printf("%.2f\n", percentile(times, rounds, 0.5) * 1e6);
  free(times);
  return 0;
}
