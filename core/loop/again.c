#include "loop/again.h"

#include <stddef.h>

enum { ALONE_ENOUGH = 2, ROW_MAX = 16 };

void beam__again_note(beam__again *again, int (*read)(void *user), void *user) {
  again->alone = ++again->ready == 1 && again->user == user ? again->alone + 1 : 0;
  again->read = read;
  again->user = user;
}

void beam__again_forget(beam__again *again, const void *user) {
  if (again->user == user)
    *again = (beam__again){0};
}

int beam__again_read(beam__again *again) {
  if (again->alone < ALONE_ENOUGH || again->row >= ROW_MAX) {
    again->row = 0;
    return 0;
  }
  again->row++;
  if (again->read(again->user))
    return 1;
  again->alone = again->row = 0;
  return 0;
}
