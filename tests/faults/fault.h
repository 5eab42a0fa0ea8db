/* Faults on demand. interpose.c stands before the C library (LD_PRELOAD) and lets allocations fail, and system calls be
 * interrupted or do half of what was asked; who wants that arms it.
 *
 *   memory_test.c, system_test.c, …   scenes: what is done while it fails
 *   runner.h                          each in a process of its own, once for each fault; says whose a crash is
 *   interpose.c                       the faults
 */
#ifndef BEAM_FAULT_H
#define BEAM_FAULT_H

enum fault_kind {
  FAULT_NONE,
  FAULT_MEMORY,    /* malloc and its like give NULL, pthread_create EAGAIN */
  FAULT_INTERRUPT, /* half of the system calls that may be interrupted say EINTR */
  FAULT_SHORT      /* what is read, written, sent or received is one byte at a time, or a few */
};

enum { FAULT_FRAMES = 32 };

typedef struct fault_state {
  int kind;                  /* enum fault_kind */
  unsigned long first, last; /* of what is counted since it was armed, those that fail, from 1 */
  unsigned long count;
  unsigned long failed;
  void (*on_first)(void **frames, int count); /* told of the stack of the first that failed; may be NULL */
} fault_state;

/* The state of this process; `to` is where it is kept from now on (a shared page), if it is not NULL. NULL: interpose.c
 * is not loaded. */
typedef fault_state *fault_use_function(fault_state *to);

#endif
