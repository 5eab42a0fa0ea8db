/* Jobs, each owned by one at a time: a queue, its thread, the list of arrivals, the list of those to be delivered.
 * Threads and the context share the background alone, and of it only the locked part; the last of them frees it.
 */
#include "loop/background.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

enum { STACK_SIZE = 512 * 1024 }; /* name service modules put their buffers there */

enum stage { WAITING, RUNNING, FINISHED, DELIVERED };

struct beam__background {
  beam__owned owned;
  beam_ctx *ctx;
  uv_async_t arrived;
  beam__task deliver;
  beam__node finished; /* jobs whose `done` is due */
  struct queue {
    beam__node waiting; /* jobs for which there is no thread yet */
    unsigned threads;   /* in flight, as the context's thread counts them */
  } queues[BEAM__QUEUES];
  pthread_mutex_t lock;
  /* Under the lock: */
  beam__node arrivals; /* jobs that have run */
  int shut;
  unsigned holders; /* the context, and each thread in flight */
};

static const unsigned threads_max[BEAM__QUEUES] = {BEAM__LOOKUPS_MAX, BEAM__FILES_MAX};

static beam__job *take_first(beam__node *list) {
  beam__job *job = BEAM__CONTAINER(list->next, beam__job, node);
  beam__list_remove(&job->node);
  return job;
}

static void move_all(beam__node *to, beam__node *from) {
  while (!beam__list_empty(from))
    beam__list_add(to, &take_first(from)->node);
}

static void dispose_all(beam__node *list) {
  while (!beam__list_empty(list)) {
    beam__job *job = take_first(list);
    job->ops->dispose(job);
  }
}

/* ---- The thread ---- */

static void release(struct beam__background *background) {
  unsigned left;
  pthread_mutex_lock(&background->lock);
  left = --background->holders;
  pthread_mutex_unlock(&background->lock);
  if (left)
    return;
  pthread_mutex_destroy(&background->lock);
  free(background);
}

static void *run_thread(void *argument) {
  beam__job *job = argument;
  struct beam__background *background = job->background;
  int late;
  job->ops->run(job);
  pthread_mutex_lock(&background->lock);
  late = background->shut;
  if (!late) {
    beam__list_add(&background->arrivals, &job->node);
    uv_async_send(&background->arrived);
  }
  pthread_mutex_unlock(&background->lock);
  if (late)
    job->ops->dispose(job);
  release(background);
  return NULL;
}

/* All signals blocked: they are for the host's own threads. */
static int start_thread(beam__job *job) {
  pthread_attr_t attributes;
  pthread_t thread;
  sigset_t all, before;
  int failed;
  if ((failed = pthread_attr_init(&attributes)))
    return failed;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, STACK_SIZE);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  failed = pthread_create(&thread, &attributes, run_thread, job);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return failed;
}

/* ---- Delivery ---- */

static void finish(struct beam__background *background, beam__job *job) {
  job->stage = FINISHED;
  beam__list_add(&background->finished, &job->node);
  beam__task_defer(background->ctx, &background->deliver);
}

/* What finishes meanwhile waits for the next round, so that a step ends. */
static void deliver(beam__task *task) {
  struct beam__background *background = BEAM__CONTAINER(task, struct beam__background, deliver);
  beam__node due;
  beam__list_init(&due);
  move_all(&due, &background->finished);
  while (!beam__list_empty(&due)) {
    beam__job *job = take_first(&due);
    job->stage = DELIVERED;
    job->ops->done(job, job->system);
    job->ops->dispose(job);
  }
}

/* ---- Queues ---- */

/* The thread holds the background from here on, so that the context may end before it. */
static int hand_over(struct beam__background *background, beam__job *job) {
  int failed;
  pthread_mutex_lock(&background->lock);
  background->holders++;
  pthread_mutex_unlock(&background->lock);
  job->stage = RUNNING;
  if ((failed = start_thread(job)) == 0)
    return 0;
  job->stage = WAITING;
  release(background); /* never the last: the context holds it */
  return failed;
}

/* Where the system has no thread left, a job waits for one of its queue to end, or fails if there is none. */
static void start_waiting(struct beam__background *background, enum beam__queue which) {
  struct queue *queue = &background->queues[which];
  while (queue->threads < threads_max[which] && !beam__list_empty(&queue->waiting)) {
    beam__job *job = take_first(&queue->waiting);
    if ((job->system = hand_over(background, job)) == 0) {
      queue->threads++;
    } else if (queue->threads) {
      beam__list_add(queue->waiting.next, &job->node); /* back to the front */
      return;
    } else {
      finish(background, job);
    }
  }
}

static void on_arrived(uv_async_t *async) {
  struct beam__background *background = async->data;
  beam__node taken;
  int which;
  beam__list_init(&taken);
  pthread_mutex_lock(&background->lock);
  move_all(&taken, &background->arrivals);
  pthread_mutex_unlock(&background->lock);
  while (!beam__list_empty(&taken)) {
    beam__job *job = take_first(&taken);
    background->queues[job->ops->queue].threads--;
    if (job->dropped)
      job->ops->dispose(job);
    else
      finish(background, job);
  }
  for (which = 0; which < BEAM__QUEUES; which++)
    start_waiting(background, (enum beam__queue)which);
}

/* ---- Life ---- */

static void on_closed(uv_handle_t *handle) { release(handle->data); }

/* Called last of all that the context owns, so nobody is left to drop a job. */
static void destroy(beam__owned *owned) {
  struct beam__background *background = BEAM__CONTAINER(owned, struct beam__background, owned);
  beam__node late;
  int which;
  beam__list_init(&late);
  beam__task_cancel(&background->deliver);
  pthread_mutex_lock(&background->lock);
  background->shut = 1;
  move_all(&late, &background->arrivals);
  pthread_mutex_unlock(&background->lock);
  move_all(&late, &background->finished);
  for (which = 0; which < BEAM__QUEUES; which++)
    move_all(&late, &background->queues[which].waiting);
  dispose_all(&late);
  background->ctx->background = NULL;
  uv_close((uv_handle_t *)&background->arrived, on_closed);
}

static struct beam__background *background_new(beam_ctx *ctx) {
  struct beam__background *background = calloc(1, sizeof *background);
  int which;
  if (!background)
    return NULL;
  if (pthread_mutex_init(&background->lock, NULL)) {
    free(background);
    return NULL;
  }
  if (uv_async_init(&ctx->loop, &background->arrived, on_arrived)) {
    pthread_mutex_destroy(&background->lock);
    free(background);
    return NULL;
  }
  background->arrived.data = background;
  background->ctx = ctx;
  background->holders = 1;
  beam__task_init(&background->deliver, deliver);
  beam__list_init(&background->finished);
  beam__list_init(&background->arrivals);
  for (which = 0; which < BEAM__QUEUES; which++)
    beam__list_init(&background->queues[which].waiting);
  return background;
}

/* Made by the first job. It goes to the front of what the context owns: what has jobs must be destroyed before it. */
static struct beam__background *background_of(beam_ctx *ctx) {
  if (ctx->background || ctx->closing)
    return ctx->background;
  ctx->background = background_new(ctx);
  if (!ctx->background)
    return NULL;
  beam__own(ctx, &ctx->background->owned, destroy);
  beam__list_remove(&ctx->background->owned.node);
  beam__list_add(ctx->owned.next, &ctx->background->owned.node);
  return ctx->background;
}

int beam__own_with_jobs(beam_ctx *ctx, beam__owned *owned, void (*destroy_owned)(beam__owned *owned)) {
  struct beam__background *background = background_of(ctx);
  if (!background)
    return BEAM_ENO_MEMORY;
  beam__own(ctx, owned, destroy_owned);
  beam__list_remove(&owned->node);
  beam__list_add(background->owned.node.next, &owned->node);
  return 0;
}

/* ---- Jobs ---- */

static int take_over(beam_ctx *ctx, beam__job *job, const beam__job_ops *ops) {
  job->background = background_of(ctx);
  job->ops = ops;
  job->stage = WAITING;
  return job->background ? 0 : BEAM_ENO_MEMORY;
}

int beam__job_start(beam_ctx *ctx, beam__job *job, const beam__job_ops *ops) {
  if (ctx->closing || take_over(ctx, job, ops))
    return BEAM_ENO_MEMORY;
  beam__list_add(&job->background->queues[ops->queue].waiting, &job->node);
  start_waiting(job->background, ops->queue);
  beam__touch(ctx);
  return 0;
}

int beam__job_skip(beam_ctx *ctx, beam__job *job, const beam__job_ops *ops) {
  if (ctx->closing || take_over(ctx, job, ops))
    return BEAM_ENO_MEMORY;
  finish(job->background, job);
  return 0;
}

/* One that runs only forgets who asked; any other is taken back. */
void beam__job_drop(beam__job *job) {
  if (!job || job->stage == DELIVERED)
    return;
  if (job->stage == RUNNING) {
    job->dropped = 1;
    return;
  }
  beam__list_remove(&job->node);
  job->ops->dispose(job);
}
