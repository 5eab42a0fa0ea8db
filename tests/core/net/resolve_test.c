/* Look-ups: nothing waits for a name server, whatever it does, and no late answer touches a context that is gone. */
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "resolve_fixture.h"

enum { SLOW_MS = 500, STEPS = 200 };

/* ---- Answers ---- */

static void answers_without_asking(void) {
  reset();
  check_answer("192.0.2.7", 80, "192.0.2.7:80");
  check_answer("2001:db8::7", 443, "[2001:db8::7]:443");
  check_answer("fe80::1%lo", 443, "[fe80::1%lo]:443");
  check_answer("localhost", 1994, "[::1]:1994 127.0.0.1:1994");
  check_answer("Echo.LocalHost", 65535, "[::1]:65535 127.0.0.1:65535");
  CHECK_INT(asked, 0);
  check_answer("localhost.test", 1, "192.0.2.1:1");
  CHECK_INT(asked, 1);
  open_and_settle();
}

static void interleaves_families(void) {
  static const char *const v6_first[] = {"2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1", "192.0.2.2", NULL};
  static const char *const v4_first[] = {"192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", NULL};
  reset();
  numeric = v6_first;
  check_answer("a.test", 7, "[2001:db8::1]:7 192.0.2.1:7 [2001:db8::2]:7 192.0.2.2:7 [2001:db8::3]:7");
  numeric = v4_first;
  check_answer("a.test", 7, "192.0.2.1:7 [2001:db8::1]:7 192.0.2.2:7 192.0.2.3:7");
  open_and_settle();
}

static void removes_duplicates(void) {
  static const char *const twice[] = {"192.0.2.1", "192.0.2.1", "2001:db8::1", "192.0.2.2", "2001:db8::1", NULL};
  reset();
  numeric = twice;
  check_answer("a.test", 7, "192.0.2.1:7 [2001:db8::1]:7 192.0.2.2:7");
  open_and_settle();
}

static void bounds_the_list_with_both_families_in_it(void) {
  static char texts[30][32];
  const char *many[31];
  beam_ctx *ctx = new_context();
  asker who;
  size_t i;
  reset();
  for (i = 0; i < 30; i++) {
    snprintf(texts[i], sizeof texts[i], i < 29 ? "2001:db8::%zu" : "192.0.2.%zu", i + 1);
    many[i] = texts[i];
  }
  many[30] = NULL;
  numeric = many;
  ask(ctx, &who, "a.test", 7);
  step_until(ctx, &who.done, 1);
  CHECK_INT(who.addresses.count, BEAM__ADDRESSES_MAX);
  CHECK_INT(who.addresses.list[1].ss_family, AF_INET);
  beam_close(ctx);
  open_and_settle();
}

static void check_failure(int code, int system, const char *text) {
  beam_ctx *ctx = new_context();
  asker who;
  reset();
  fail_with = code;
  fail_errno = system;
  ask(ctx, &who, "a.test", 7);
  step_until(ctx, &who.done, 1);
  CHECK_INT(who.failed, 1);
  CHECK_STR(who.error, text);
  beam_close(ctx);
  open_and_settle();
}

static void reports_failures(void) {
  check_failure(EAI_NONAME, 0, "Name or service not known; check the spelling of the host name");
  check_failure(EAI_AGAIN, 0,
                "Temporary failure in name resolution; check the network and the name server (/etc/resolv.conf), "
                "then try again");
  check_failure(EAI_FAIL, 0,
                "Non-recoverable failure in name resolution; the name server refused or failed, try another one");
  check_failure(EAI_SYSTEM, EMFILE, "too many open files");
  check_failure(EAI_MEMORY, 0, "Memory allocation failure");
}

static void reports_an_empty_answer(void) {
  static const char *const none[] = {NULL};
  beam_ctx *ctx = new_context();
  asker who;
  reset();
  numeric = none;
  ask(ctx, &who, "a.test", 7);
  step_until(ctx, &who.done, 1);
  CHECK_INT(who.failed, 1);
  CHECK_CONTAINS(who.error, "not known");
  beam_close(ctx);
  open_and_settle();
}

/* ---- Never blocks ---- */

/* A step that waited for the look-up would wait for ever. */
static void never_holds_up_a_step(void) {
  beam_ctx *ctx = new_context();
  asker who;
  int i;
  reset();
  set_gate(0);
  ask(ctx, &who, "slow.test", 7);
  while (value_of(&inside) < 1)
    beam_step(ctx, 0);
  for (i = 0; i < STEPS; i++)
    beam_step(ctx, 0);
  CHECK_INT(who.done, 0);
  set_gate(1);
  step_until(ctx, &who.done, 1);
  beam_close(ctx);
  open_and_settle();
}

static void never_holds_up_closing(void) {
  beam_ctx *ctx = new_context();
  asker who[3];
  reset();
  set_gate(0);
  ask(ctx, &who[0], "a.test", 7);
  ask(ctx, &who[1], "b.test", 7);
  ask(ctx, &who[2], "localhost", 7);
  while (value_of(&inside) < 2)
    usleep(1000);
  beam_close(ctx);   /* waits for nobody: the gate is closed */
  open_and_settle(); /* the answers come now, to nobody */
  CHECK_INT(who[0].done + who[1].done + who[2].done, 0);
  CHECK_INT(asked, 2);
}

static int resolve_slowly(const char *host, const char *service, const struct addrinfo *hints,
                          struct addrinfo **result) {
  (void)host;
  usleep(SLOW_MS * 1000);
  return answer_numeric(service, hints, result);
}

static void closes_with_an_answer_not_yet_delivered(void) {
  beam_ctx *ctx = new_context();
  asker who;
  reset();
  ask(ctx, &who, "a.test", 7);
  open_and_settle();
  beam_close(ctx);
  CHECK_INT(who.done, 0);
}

static void wakes_a_waiting_step_and_the_descriptor(void) {
  beam_ctx *ctx = new_context();
  struct pollfd watched = {beam_fd(ctx), POLLIN, 0};
  double before = now_ms();
  asker who;
  reset();
  beam__lookup_use(resolve_slowly);
  ask(ctx, &who, "slow.test", 7);
  while (!who.done && now_ms() - before < DEADLINE_MS)
    beam_step(ctx, DEADLINE_MS);
  CHECK(now_ms() - before < DEADLINE_MS);
  ask(ctx, &who, "slow.test", 7);
  beam_step(ctx, 0);
  while (!who.done && poll(&watched, 1, DEADLINE_MS) == 1)
    beam_step(ctx, 0);
  CHECK_INT(who.done, 1);
  ask(ctx, &who, "localhost", 7);
  CHECK_INT(poll(&watched, 1, DEADLINE_MS), 1);
  beam_step(ctx, 0);
  CHECK_INT(who.done, 1);
  beam_close(ctx);
  open_and_settle();
}

static void blocks_signals_in_its_threads(void) {
  beam_ctx *ctx = new_context();
  asker who;
  reset();
  ask(ctx, &who, "a.test", 7);
  step_until(ctx, &who.done, 1);
  CHECK_INT(signals_blocked, 1);
  beam_close(ctx);
  open_and_settle();
}

/* ---- Cancelling ---- */

static void cancels_what_is_in_flight(void) {
  beam_ctx *ctx = new_context();
  asker gone, stays;
  reset();
  set_gate(0);
  ask(ctx, &gone, "a.test", 7);
  ask(ctx, &stays, "b.test", 7);
  while (value_of(&inside) < 2)
    beam_step(ctx, 1);
  beam__lookup_cancel(gone.lookup);
  set_gate(1);
  step_until(ctx, &stays.done, 1);
  step_for(ctx, 50);
  CHECK_INT(gone.done, 0);
  beam_close(ctx);
  open_and_settle();
}

static void cancels_an_answer_not_yet_delivered(void) {
  beam_ctx *ctx = new_context();
  asker local, remote;
  reset();
  ask(ctx, &local, "127.0.0.1", 7);
  ask(ctx, &remote, "a.test", 7);
  open_and_settle();
  beam__lookup_cancel(local.lookup);
  beam__lookup_cancel(remote.lookup);
  beam__lookup_cancel(NULL);
  step_for(ctx, 50);
  CHECK_INT(local.done + remote.done, 0);
  beam_close(ctx);
}

static void cancels_from_inside_done(void) {
  beam_ctx *ctx = new_context();
  asker first, second;
  reset();
  ask(ctx, &first, "127.0.0.1", 7);
  ask(ctx, &second, "127.0.0.1", 7);
  first.cancel_inside = second.lookup;
  step_until(ctx, &first.done, 1);
  step_for(ctx, 20);
  CHECK_INT(second.done, 0);
  ask(ctx, &first, "a.test", 7);
  first.cancel_inside = first.lookup; /* itself: over already, and no harm */
  step_until(ctx, &first.done, 1);
  beam_close(ctx);
  open_and_settle();
}

static void starts_from_inside_done(void) {
  beam_ctx *ctx = new_context();
  asker who;
  reset();
  ask(ctx, &who, "127.0.0.1", 7);
  who.again = 2;
  step_until(ctx, &who.done, 3);
  CHECK_INT(asked, 2);
  beam_close(ctx);
  open_and_settle();
}

/* ---- Bounds ---- */

enum { MANY = 200, THREADS_AT_MOST = 64 };

static asker crowd[MANY];

static int done_in_crowd(void) {
  int i, done = 0;
  for (i = 0; i < MANY; i++)
    done += crowd[i].done;
  return done;
}

static void step_crowd_until(beam_ctx *ctx, int wanted) {
  double end = now_ms() + DEADLINE_MS;
  while (done_in_crowd() < wanted && now_ms() < end)
    beam_step(ctx, 100);
  CHECK_INT(done_in_crowd(), wanted);
}

static void gather_crowd(beam_ctx *ctx) {
  int i;
  reset();
  set_gate(0);
  for (i = 0; i < MANY; i++)
    ask(ctx, &crowd[i], "a.test", (unsigned)i + 1);
  while (value_of(&inside) < THREADS_AT_MOST)
    beam_step(ctx, 1);
}

static void answers_many_within_its_bound(void) {
  beam_ctx *ctx = new_context();
  int i;
  gather_crowd(ctx);
  set_gate(1);
  step_crowd_until(ctx, MANY);
  for (i = 0; i < MANY; i++)
    CHECK(crowd[i].done == 1 && ntohs(((struct sockaddr_in *)crowd[i].addresses.list)->sin_port) == i + 1);
  CHECK_INT(asked, MANY);
  CHECK_INT(inside_max, THREADS_AT_MOST);
  beam_close(ctx);
  open_and_settle();
}

static void never_asks_what_was_cancelled_in_time(void) {
  beam_ctx *ctx = new_context();
  int i;
  gather_crowd(ctx);
  for (i = 0; i < MANY; i += 2)
    beam__lookup_cancel(crowd[i].lookup);
  set_gate(1);
  step_crowd_until(ctx, MANY / 2);
  CHECK_INT(asked, MANY - (MANY - THREADS_AT_MOST) / 2);
  beam_close(ctx);
  open_and_settle();
}

static void closes_with_a_crowd_waiting(void) {
  beam_ctx *ctx = new_context();
  gather_crowd(ctx);
  beam_close(ctx);
  open_and_settle();
  CHECK_INT(done_in_crowd(), 0);
  CHECK_INT(asked, THREADS_AT_MOST);
}

/* ---- Whoever asks is destroyed before what it asked ---- */

typedef struct holder {
  beam__owned owned;
  asker who;
} holder;

static void destroy_holder(beam__owned *owned) {
  beam__lookup_cancel(BEAM__CONTAINER(owned, holder, owned)->who.lookup);
}

static void lets_owners_cancel_while_closing(void) {
  beam_ctx *ctx = new_context();
  holder early, late;
  reset();
  set_gate(0);
  beam__own(ctx, &early.owned, destroy_holder);
  ask(ctx, &early.who, "a.test", 7);
  beam__own(ctx, &late.owned, destroy_holder);
  ask(ctx, &late.who, "b.test", 7);
  beam_close(ctx);
  open_and_settle();
  CHECK_INT(early.who.done + late.who.done, 0);
}

/* ---- No thread to be had: in a process of its own, which may start none ---- */

static int fail_without_threads(void) {
  struct rlimit none = {1, 1};
  beam_ctx *ctx;
  asker who;
  if (getuid() == 0 && (setgid(65534) || setuid(65534))) /* the limit does not hold for root */
    return 2;
  if (setrlimit(RLIMIT_NPROC, &none))
    return 2;
  ctx = new_context();
  ask(ctx, &who, "a.test", 7);
  step_until(ctx, &who.done, 1);
  CHECK_CONTAINS(who.error, "no thread could be started");
  ask(ctx, &who, "localhost", 7);
  step_until(ctx, &who.done, 1);
  CHECK_INT(who.failed, 0);
  beam_close(ctx);
  fflush(stdout);
  return test_case_failures > 0;
}

static void fails_when_no_thread_can_be_started(void) {
  int status = 0;
  pid_t child;
  reset();
  fflush(stdout);
  if ((child = fork()) == 0)
    _exit(fail_without_threads());
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  CHECK_INT(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
}

int main(void) {
  count_threads();
  RUN(answers_without_asking);
  RUN(interleaves_families);
  RUN(removes_duplicates);
  RUN(bounds_the_list_with_both_families_in_it);
  RUN(reports_failures);
  RUN(reports_an_empty_answer);
  RUN(never_holds_up_a_step);
  RUN(never_holds_up_closing);
  RUN(closes_with_an_answer_not_yet_delivered);
  RUN(wakes_a_waiting_step_and_the_descriptor);
  RUN(blocks_signals_in_its_threads);
  RUN(cancels_what_is_in_flight);
  RUN(cancels_an_answer_not_yet_delivered);
  RUN(cancels_from_inside_done);
  RUN(starts_from_inside_done);
  RUN(answers_many_within_its_bound);
  RUN(never_asks_what_was_cancelled_in_time);
  RUN(closes_with_a_crowd_waiting);
  RUN(lets_owners_cancel_while_closing);
  RUN(fails_when_no_thread_can_be_started);
  return test_end();
}
