/* A system that does half of what it is asked: calls that are interrupted, reads and writes that take a few bytes at a
 * time, descriptors that run out. The first two change nothing; of the last each operation ends exactly once, with what
 * was missing. */
#include <sys/resource.h>

#include "client_scenes.h"
#include "server_scenes.h"
#include "test.h"

static tally all;

static void all_with(int kind) {
  int i, bad = all.bad;
  memset(&all, 0, sizeof all);
  for (i = 0; i < CLIENT_SCENES; i++)
    if (wants(&client_scenes[i]) && client_scenes[i].play != read_address) /* which asks the system for nothing */
      run_once(&client_scenes[i], &all, kind, 1, (unsigned long)-1);
  if (wants(&server_scene))
    run_once(&server_scene, &all, kind, 1, (unsigned long)-1);
  printf("# %d runs: ", all.runs);
  show_tally(&all);
  printf("\n");
  CHECK_INT(all.bad, bad);
  CHECK_STR(all.kinds[0].name, "unharmed");
  CHECK_INT(all.kinds[0].count, all.runs);
}

static void interrupted(void) { all_with(FAULT_INTERRUPT); }
static void a_few_bytes_at_a_time(void) { all_with(FAULT_SHORT); }

/* ---- Descriptors: as many as `limit` ---- */

static rlim_t limit;

static void limit_descriptors(void) {
  struct rlimit to = {limit, limit};
  setrlimit(RLIMIT_NOFILE, &to);
}

static void with_each_limit(const scene *s, rlim_t step) {
  tally t = {0};
  before_play = limit_descriptors;
  for (limit = 3; limit <= 64; limit += step)
    run_once(s, &t, FAULT_NONE, 0, 0);
  before_play = NULL;
  printf("# %s, %d limits: ", s->name, t.runs);
  show_tally(&t);
  printf("\n");
  CHECK_INT(t.bad, 0);
}

static void few_descriptors(void) {
  int i;
  for (i = 0; i < CLIENT_SCENES; i++)
    if (wants(&client_scenes[i]))
      with_each_limit(&client_scenes[i], every == 1 ? 1 : 5);
}

int main(int count, char **arguments) {
  (void)count;
  begin_faults(arguments);
  peer_start();
  RUN(interrupted);
  RUN(a_few_bytes_at_a_time);
  RUN(few_descriptors);
  peer_stop();
  end_faults();
  return test_end();
}
