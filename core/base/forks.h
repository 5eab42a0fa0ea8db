/* Whether this process is the one in which something was made, at no cost per question, where getpid is a system call.
 * A child of a bare clone(2) that does not exec is not noticed. */
#pragma once

#pragma GCC visibility push(hidden)

/* Differs from what it was before a fork. */
extern unsigned beam__forks;
/* To be called before what belongs to one process is made. There may be no memory: the process then ends, as random.h
 * says. */
void beam__watch_forks(void);

#pragma GCC visibility pop
