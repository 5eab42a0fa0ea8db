/* Random bytes from the system, a buffer at a time: a mask for every frame must not cost a system call each. */
#pragma once

#include <stddef.h>

#pragma GCC visibility push(hidden)

/* Fills `to` with fresh bytes that no other call, thread or forked process is given. */
void beam__random(void *to, size_t len);

#pragma GCC visibility pop
