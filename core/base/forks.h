/* Whether this process is the one in which something was made, at no cost per question, where getpid is a system call.
 * A child of a bare clone(2) that does not exec is not noticed. */
#ifndef BEAM_FORKS_H
#define BEAM_FORKS_H

#pragma GCC visibility push(hidden)

/* Differs from what it was before a fork. The first call may find no memory: the process then ends, as random.h says.
 */
unsigned beam__forks(void);

#pragma GCC visibility pop

#endif
