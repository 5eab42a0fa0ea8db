/* Work beside the loop: what may block for as long as it likes (getaddrinfo, a file on a network drive) or computes for
 * longer than a frame, each on a detached thread of its own.
 *
 *   resolve.c, trust.c  --beam__job-->  background.c  --run-->  thread
 *                       <--done, from a step--       <--------
 *
 * Nothing waits for a job, beam_close least of all: a result that comes too late is freed unseen.
 */
#pragma once

#include "internal.h"

#pragma GCC visibility push(hidden)

/* Each queue has threads of its own, so that jobs of one sort that hang hold up no other. */
enum beam__queue { BEAM__LOOKUPS, BEAM__FILES, BEAM__QUEUES };
enum { BEAM__LOOKUPS_MAX = 64, BEAM__FILES_MAX = 8 }; /* threads per context; further jobs wait for one to end */

typedef struct beam__job beam__job;

typedef struct beam__job_ops {
  enum beam__queue queue;
  void (*run)(beam__job *job);              /* on the thread: touches the job, and nothing of the context */
  void (*done)(beam__job *job, int system); /* once, from a step. `system`: why it did not run (errno), or 0 */
  void (*dispose)(beam__job *job);          /* frees it, after `done` or without: then perhaps on the thread */
} beam__job_ops;

/* The first member of what is worked on. Whose it is passes from its maker to this file and its thread with start. */
struct beam__job { /* zero-initialise */
  const beam__job_ops *ops;
  beam__node node; /* in the one list that has it; on its thread it is in none */
  struct beam__background *background;
  int system; /* of the context's thread, like the next */
  uint8_t stage, dropped;
};

/* `done` is never called from inside these. 0, or BEAM_ENO_MEMORY: the job is still its maker's. */
int beam__job_start(beam_ctx *ctx, beam__job *job, const beam__job_ops *ops);
/* For one that has its result already: no thread, only `done`. */
int beam__job_skip(beam_ctx *ctx, beam__job *job, const beam__job_ops *ops);
/* Nobody wants the result: `done` is not called, and the job invalid for its maker. Inside `done` it does nothing. */
void beam__job_drop(beam__job *job);
/* Like beam__own, for what has jobs and is used by others: it ends after all that uses it, and before the jobs do. 0 or
 * BEAM_ENO_MEMORY. */
int beam__own_with_jobs(beam_ctx *ctx, beam__owned *owned, void (*destroy)(beam__owned *owned));

#pragma GCC visibility pop
