/* How many Lua states of this process have had an event loop. With lua_code_cache on there is one for each subsystem of
 * nginx; with it off each request has its own, and one that came earlier would never end: it is woken to see that. */
#include "nginx/nginx.h"

#include <stddef.h>

static struct {
  unsigned entered;
  void (*wake)(void *argument); /* of the first, while it has a loop */
  void *argument;
} subsystems[2];

unsigned beam_nginx_states(int stream) { return subsystems[!!stream].entered; }

unsigned beam_nginx_enter(int stream, void (*wake)(void *argument), void *argument) {
  unsigned before = subsystems[!!stream].entered++;
  if (before == 0) {
    subsystems[!!stream].wake = wake;
    subsystems[!!stream].argument = argument;
  } else if (subsystems[!!stream].wake)
    subsystems[!!stream].wake(subsystems[!!stream].argument);
  return before;
}

void beam_nginx_leave(int stream, void *argument) {
  if (subsystems[!!stream].argument == argument)
    subsystems[!!stream].wake = NULL;
}
