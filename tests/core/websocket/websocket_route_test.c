/* Networks that come and go: libwebsockets 4.3.5 follows the kernel's routes and would end what it thinks unreachable.
 */
#include <net/if.h>
#include <net/route.h>
#include <sched.h>
#include <sys/ioctl.h>

#include "websocket_fixture.h"

static int control = -1; /* a socket to ask for changes through */

static struct sockaddr address_of(const char *text) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  struct sockaddr general;
  inet_pton(AF_INET, text, &address.sin_addr);
  memcpy(&general, &address, sizeof general);
  return general;
}

static int set_up(const char *interface, int up) {
  struct ifreq request = {0};
  snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
  request.ifr_flags = up ? IFF_UP | IFF_RUNNING : 0;
  return ioctl(control, SIOCSIFFLAGS, &request);
}

static int add_address(const char *interface, const char *text) {
  struct ifreq request = {0};
  snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
  request.ifr_addr = address_of(text);
  return ioctl(control, SIOCSIFADDR, &request);
}

static int change_default_route(unsigned long what) {
  struct rtentry route = {.rt_flags = RTF_UP, .rt_dev = (char *)(uintptr_t) "lo"};
  route.rt_dst = route.rt_genmask = address_of("0.0.0.0");
  return ioctl(control, what, &route);
}

/* A network of our own, where we may change it: as root, or as a user whom the system lets be root there. */
static int enter_network(void) {
  if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
    return 0;
  control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  return set_up("lo", 1) == 0;
}

static void test_routes_come_and_go(void) {
  peer p;
  client c;
  if (!enter_network()) {
    printf("# no network of our own may be made here\n");
    return;
  }
  peer_start(&p, serve_echo);
  CHECK_INT(add_address("lo:1", "10.9.9.1"), 0);
  CHECK_INT(change_default_route(SIOCADDRT), 0);
  client_start(&c);
  CHECK_INT(client_open(&c, p.port, "/", (beam_ws_options){0}), 0);
  CHECK(wait_for(&c, &c.opened, 1));
  step_for(&c, 300); /* libwebsockets asks for the routes, and waits a little */
  CHECK_INT(change_default_route(SIOCDELRT), 0);
  CHECK_INT(set_up("lo:1", 0), 0);
  step_for(&c, 300);
  CHECK_INT(c.closed, 0);
  CHECK_INT(beam_ws_send_text(c.ws, "still here", 10), 0);
  CHECK(wait_for(&c, &c.messages, 1));
  client_end(&c);
  peer_stop(&p);
  close(control);
}

int main(void) {
  RUN(test_routes_come_and_go);
  return test_end();
}
