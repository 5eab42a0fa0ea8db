/* Debian's liblua5.4.a can go into a shared library but for one thing: it reads stdin, stdout and stderr where a
 * program has them, by an address relative to itself (seen in 5.4.4-3; what is built with -fPIC does not). host.mk
 * gives these three other names in it, and here they are. */
#include <stdio.h>

extern FILE *host_stdin, *host_stdout, *host_stderr;

FILE *host_stdin, *host_stdout, *host_stderr;

__attribute__((constructor)) static void set_streams(void) {
  host_stdin = stdin;
  host_stdout = stdout;
  host_stderr = stderr;
}
