/* One descriptor that is readable when a libuv loop has something to do, its timers included. */
#pragma once

#include <uv.h>

#pragma GCC visibility push(hidden)

typedef struct beam__pollset beam__pollset;

beam__pollset *beam__pollset_new(uv_loop_t *loop); /* NULL: the system has no descriptor left */
int beam__pollset_fd(const beam__pollset *pollset);
/* Readable in `timeout_ms` at the latest (0: now; negative: only by I/O), counted from `now_ms`, the loop's clock. */
void beam__pollset_arm(beam__pollset *pollset, uint64_t now_ms, int timeout_ms);
/* Before the loop ends, which has to turn once more. */
void beam__pollset_free(beam__pollset *pollset);

#pragma GCC visibility pop
