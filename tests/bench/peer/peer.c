/* The other end of the benchmarks: one small epoll server that is not part of what is measured.
 *
 *   usage: peer [CERTIFICATE KEY]    prints "tcp=PORT ws=PORT wss=PORT" and serves until its standard input ends
 *   tcp        sends back what comes
 *   ws, wss    speak.h says what is done there
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "speak.h"

enum { TCP, WS, WSS, LISTENERS };

static SSL_CTX *secure;
static int listeners[LISTENERS];

static unsigned listen_on(int *fd) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof address;
  *fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (bind(*fd, (struct sockaddr *)&address, len) || listen(*fd, 4096) ||
      getsockname(*fd, (struct sockaddr *)&address, &len))
    exit(1);
  return ntohs(address.sin_port);
}

static void prepare_tls(const char *certificate, const char *key) {
  secure = SSL_CTX_new(TLS_server_method());
  if (SSL_CTX_use_certificate_chain_file(secure, certificate) != 1 ||
      SSL_CTX_use_PrivateKey_file(secure, key, SSL_FILETYPE_PEM) != 1)
    exit(1);
  SSL_CTX_set_mode(secure,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
}

static void accept_all(int epoll, int kind) {
  int fd, one = 1;
  while ((fd = accept4(listeners[kind], NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    struct speaker *speaker = calloc(1, sizeof *speaker);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = speaker};
    speaker->link.fd = fd;
    speaker->websocket = kind != TCP;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (kind == WSS) {
      speaker->link.tls = SSL_new(secure);
      SSL_set_fd(speaker->link.tls, fd);
      SSL_set_accept_state(speaker->link.tls);
    }
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  }
}

static void serve(int epoll, struct speaker *speaker) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = speaker};
  int more = speak(speaker);
  if (more < 0) {
    speaker_free(speaker);
    return;
  }
  if (!speaker->batch)
    return;
  event.events |= more ? EPOLLOUT : 0;
  epoll_ctl(epoll, EPOLL_CTL_MOD, speaker->link.fd, &event);
}

int main(int argc, char **argv) {
  static int input;
  struct epoll_event events[64];
  int epoll = epoll_create1(0), i;
  unsigned ports[LISTENERS];
  signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
  if (argc > 2)
    prepare_tls(argv[1], argv[2]);
  for (i = 0; i < LISTENERS; i++) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &listeners[i]};
    ports[i] = listen_on(&listeners[i]);
    if (i != WSS || secure)
      epoll_ctl(epoll, EPOLL_CTL_ADD, listeners[i], &event);
  }
  epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &input});
  printf("tcp=%u ws=%u wss=%u\n", ports[TCP], ports[WS], ports[WSS]);
  fflush(stdout);
  for (;;) {
    int count = epoll_wait(epoll, events, 64, -1);
    for (i = 0; i < count; i++) {
      int *listener = events[i].data.ptr;
      if (listener == &input)
        return 0;
      if (listener >= listeners && listener < listeners + LISTENERS)
        accept_all(epoll, (int)(listener - listeners));
      else
        serve(epoll, events[i].data.ptr);
    }
  }
}
