/* Memory that runs out: one allocation fails, of the libraries' as well as of ours, or all from one on; the first, the
 * second, … to the last. Whatever is under way ends exactly once, with no_memory or unharmed; what the libraries make
 * of it is in docs/versions.md. make alloc: every one of them, here each 401st (FAULT_EVERY); see runner.h. */
#include "client_scenes.h"
#include "server_scenes.h"
#include "test.h"

/* The libraries' first times are before it; those are in "a first call". */
static void warm_up(const scene *s) {
  outcome ignored;
  memset(&ignored, 0, sizeof ignored);
  s->play(&ignored);
}

static void fail_in(const scene *s) {
  if (!wants(s))
    return;
  CHECK(fail_each(s, 0, 1));
  CHECK(fail_each(s, 1, 5));
}

static void a_first_call(void) { fail_in(&first_call_scene); }

static void clients(void) {
  int i;
  for (i = 0; i < CLIENT_SCENES; i++) {
    if (wants(&client_scenes[i]))
      warm_up(&client_scenes[i]);
    fail_in(&client_scenes[i]);
  }
}

static void a_server(void) {
  if (wants(&server_scene))
    warm_up(&server_scene);
  if (wants(&server_scene))
    CHECK(fail_each(&server_scene, 0, 1)); /* for good it could only leave them waiting */
}

int main(int count, char **arguments) {
  (void)count;
  begin_faults(arguments);
  peer_start();
  RUN(a_first_call);
  RUN(clients);
  RUN(a_server);
  peer_stop();
  end_faults();
  return test_end();
}
