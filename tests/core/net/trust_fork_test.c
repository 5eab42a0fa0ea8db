/* A fork while CA certificates are read by a thread. Built without sanitizers: a child of AddressSanitizer's that frees
 * waits for ever for a lock of its allocator that such a thread had, where the C library's is let go. */
#include "trust_fixture.h"

/* The child waits for no thread, at its end either: they are its parent's. */
static double exit_in_a_child(void) {
  double before = now_ms();
  pid_t child;
  fflush(stdout);
  child = fork();
  if (child == 0) {
    alarm(DEADLINE_MS / 1000);
    exit(0);
  }
  CHECK_INT(status_of(child), 0);
  return now_ms() - before;
}

static void forks_in_the_middle(void) {
  double longest = 0;
  int round, i;
  for (round = 0; round < 20; round++) {
    beam_ctx *ctx = new_context();
    asker who;
    ask(ctx, &who, "bundle.pem");
    for (i = 0; i < 10; i++) {
      double took = exit_in_a_child();
      longest = took > longest ? took : longest;
    }
    step_until(ctx, &who.done, 1);
    leave(&who);
    beam_close(ctx);
  }
  CHECK(longest < 4500); /* one that waits for a thread gives up after 5 s (ca_file.c) */
  settle();
}

int main(void) {
  set_up();
  count_threads();
  RUN(forks_in_the_middle);
  tear_down();
  return test_end();
}
