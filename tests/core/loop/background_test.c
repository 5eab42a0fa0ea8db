/* Jobs: each is disposed of once, whatever becomes of it; `done` comes once, from a step, or never. (The look-ups'
 * tests, resolve_test.c, have signals, crowds and the lack of threads.) */
#include "background_fixture.h"

#include <poll.h>

#include "loop/background.h"

/* ---- A job that waits at a gate ---- */

static atomic_int gate_open, begun, ran, finished, disposed, inside_a_call;

typedef struct work {
  beam__job job;
  beam_ctx *ctx;
  beam__job *drop; /* in `done` */
  int again;       /* so often it starts another one in `done` */
} work;

static void run(beam__job *job) {
  (void)job;
  begun++;
  while (!gate_open)
    usleep(500);
  ran++;
}

static void dispose(beam__job *job) {
  free(job);
  disposed++;
}

static void done(beam__job *job, int system);
static const beam__job_ops lookups = {BEAM__LOOKUPS, run, done, dispose}, files = {BEAM__FILES, run, done, dispose};

static work *start(beam_ctx *ctx, int (*how)(beam_ctx *ctx, beam__job *job, const beam__job_ops *ops),
                   const beam__job_ops *ops) {
  work *made = calloc(1, sizeof *made);
  made->ctx = ctx;
  inside_a_call = 1;
  CHECK_INT(how(ctx, &made->job, ops), 0);
  inside_a_call = 0;
  return made;
}

static void done(beam__job *job, int system) {
  work *over = (work *)job;
  CHECK(!inside_a_call);
  CHECK_INT(system, 0);
  finished++;
  beam__job_drop(over->drop);
  if (over->again)
    start(over->ctx, beam__job_skip, over->job.ops)->again = over->again - 1;
}

static beam_ctx *begin(int gate) {
  gate_open = gate;
  begun = ran = finished = disposed = 0;
  return new_context();
}

static void await(const atomic_int *counter, int wanted) {
  double end = now_ms() + DEADLINE_MS;
  while (*counter < wanted && now_ms() < end)
    usleep(500);
  CHECK_INT(*counter, wanted);
}

/* ---- Every way a job can go ---- */

static void runs_beside_the_loop(void) {
  beam_ctx *ctx = begin(0);
  start(ctx, beam__job_start, &files);
  await(&begun, 1); /* without a step */
  CHECK_INT(finished, 0);
  gate_open = 1;
  step_until(ctx, &finished, 1);
  CHECK_INT(ran, 1);
  CHECK_INT(disposed, 1);
  beam_close(ctx);
  settle();
  CHECK_INT(disposed, 1);
}

static void skips_the_thread(void) {
  beam_ctx *ctx = begin(0);
  start(ctx, beam__job_skip, &files);
  CHECK_INT(finished, 0);
  beam_step(ctx, 0);
  CHECK_INT(finished, 1);
  CHECK_INT(disposed, 1);
  CHECK_INT(begun, 0);
  beam_close(ctx);
}

static void wakes_the_descriptor(void) {
  beam_ctx *ctx = begin(0);
  struct pollfd watched = {beam_fd(ctx), POLLIN, 0};
  start(ctx, beam__job_skip, &files);
  CHECK_INT(poll(&watched, 1, DEADLINE_MS), 1);
  beam_step(ctx, 0);
  CHECK_INT(finished, 1);
  start(ctx, beam__job_start, &files);
  while (poll(&watched, 1, AT_ONCE_MS) == 1) /* until there is nothing to do but to wait for it */
    beam_step(ctx, 0);
  gate_open = 1;
  while (finished < 2 && poll(&watched, 1, DEADLINE_MS) == 1)
    beam_step(ctx, 0);
  CHECK_INT(finished, 2);
  beam_close(ctx);
  settle();
}

static void drops_in_every_stage(void) {
  beam_ctx *ctx = begin(0);
  work *jobs[BEAM__FILES_MAX + 1], *skipped, *arrived;
  int i;
  for (i = 0; i <= BEAM__FILES_MAX; i++)
    jobs[i] = start(ctx, beam__job_start, &files);
  await(&begun, BEAM__FILES_MAX);
  beam__job_drop(&jobs[BEAM__FILES_MAX]->job); /* waiting: gone at once */
  CHECK_INT(disposed, 1);
  for (i = 0; i < BEAM__FILES_MAX; i++)
    beam__job_drop(&jobs[i]->job); /* running: its thread has it */
  CHECK_INT(disposed, 1);
  skipped = start(ctx, beam__job_skip, &files);
  beam__job_drop(&skipped->job); /* finished: gone at once */
  CHECK_INT(disposed, 2);
  gate_open = 1;
  arrived = start(ctx, beam__job_start, &lookups);
  settle();
  beam__job_drop(&arrived->job); /* ran, and the loop does not know yet */
  step_for(ctx, 50);
  CHECK_INT(finished, 0);
  CHECK_INT(ran, BEAM__FILES_MAX + 1);
  CHECK_INT(disposed, BEAM__FILES_MAX + 3);
  beam__job_drop(NULL);
  beam_close(ctx);
}

static void drops_from_inside_done(void) {
  beam_ctx *ctx = begin(1);
  work *first = start(ctx, beam__job_skip, &files), *second = start(ctx, beam__job_skip, &files);
  first->drop = &second->job;
  step_for(ctx, 20);
  CHECK_INT(finished, 1);
  CHECK_INT(disposed, 2);
  first = start(ctx, beam__job_skip, &files);
  first->drop = &first->job; /* itself: no harm */
  step_for(ctx, 20);
  CHECK_INT(finished, 2);
  CHECK_INT(disposed, 3);
  beam_close(ctx);
}

static void lets_a_step_end(void) {
  beam_ctx *ctx = begin(1);
  start(ctx, beam__job_skip, &files)->again = 1000;
  beam_step(ctx, 0);
  CHECK(finished > 0 && finished < 20);
  step_until(ctx, &finished, 1001);
  beam_close(ctx);
  CHECK_INT(disposed, 1001);
}

/* ---- Closing ---- */

static void never_holds_up_closing(void) {
  beam_ctx *ctx = begin(0);
  int i;
  for (i = 0; i < BEAM__FILES_MAX + 3; i++)
    start(ctx, beam__job_start, &files);
  start(ctx, beam__job_skip, &files);
  await(&begun, BEAM__FILES_MAX);
  beam_close(ctx);        /* waits for nobody: the gate is closed */
  CHECK_INT(disposed, 4); /* those that waited, and the one that was due */
  gate_open = 1;
  settle(); /* the others end now, and free themselves */
  CHECK_INT(disposed, BEAM__FILES_MAX + 4);
  CHECK_INT(ran, BEAM__FILES_MAX);
  CHECK_INT(finished, 0);
}

static void closes_with_a_job_that_has_run(void) {
  beam_ctx *ctx = begin(1);
  start(ctx, beam__job_start, &files);
  settle();
  beam_close(ctx);
  CHECK_INT(finished, 0);
  CHECK_INT(disposed, 1);
}

/* ---- Queues ---- */

static void bounds_each_queue(void) {
  beam_ctx *ctx = begin(0);
  int i;
  for (i = 0; i < BEAM__FILES_MAX + 5; i++)
    start(ctx, beam__job_start, &files);
  await(&begun, BEAM__FILES_MAX);
  step_for(ctx, 50);
  CHECK_INT(begun, BEAM__FILES_MAX);
  start(ctx, beam__job_start, &lookups); /* has a thread, whatever the files do */
  await(&begun, BEAM__FILES_MAX + 1);
  gate_open = 1;
  step_until(ctx, &finished, BEAM__FILES_MAX + 6);
  beam_close(ctx);
  settle();
  CHECK_INT(disposed, BEAM__FILES_MAX + 6);
}

/* ---- What has jobs ends between its users and its jobs ---- */

typedef struct holder {
  beam__owned owned;
  beam__job *job;
  int ended_as;
} holder;

static int ends;

static void end(beam__owned *owned) {
  holder *who = BEAM__CONTAINER(owned, holder, owned);
  who->ended_as = ++ends;
  beam__job_drop(who->job);
}

static void ends_in_order(void) {
  beam_ctx *ctx = begin(1);
  holder early = {0}, with_jobs = {0}, late = {0};
  ends = 0;
  beam__own(ctx, &early.owned, end);
  CHECK_INT(beam__own_with_jobs(ctx, &with_jobs.owned, end), 0);
  beam__own(ctx, &late.owned, end);
  early.job = &start(ctx, beam__job_start, &files)->job;
  with_jobs.job = &start(ctx, beam__job_skip, &files)->job;
  late.job = &start(ctx, beam__job_start, &lookups)->job;
  beam_close(ctx);
  CHECK_INT(late.ended_as, 1);
  CHECK_INT(early.ended_as, 2);
  CHECK_INT(with_jobs.ended_as, 3);
  settle();
  CHECK_INT(disposed, 3);
}

int main(void) {
  count_threads();
  RUN(runs_beside_the_loop);
  RUN(skips_the_thread);
  RUN(wakes_the_descriptor);
  RUN(drops_in_every_stage);
  RUN(drops_from_inside_done);
  RUN(lets_a_step_end);
  RUN(never_holds_up_closing);
  RUN(closes_with_a_job_that_has_run);
  RUN(bounds_each_queue);
  RUN(ends_in_order);
  return test_end();
}
