/* Whether the process may still open so many descriptors. Libraries that find none in the middle of their beginning do
 * not take it well (docs/versions.md): so they are not begun. */
#include <fcntl.h>
#include <unistd.h>

#include "internal.h"

enum { MOST = 16 };

int beam__descriptors_left(unsigned wanted) {
  int taken[MOST];
  unsigned count = 0, i;
  if (wanted > MOST)
    wanted = MOST;
  while (count < wanted && (taken[count] = open("/", O_RDONLY | O_CLOEXEC)) >= 0)
    count++;
  for (i = 0; i < count; i++)
    close(taken[i]);
  return count == wanted;
}
