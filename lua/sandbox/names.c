/* As lua/beam/base/suggest.lua does it, for names that are looked up in C. */
#include "sandbox/names.h"

#include <string.h>

enum { LONGEST = 63 };

static unsigned smaller(unsigned a, unsigned b) { return a < b ? a : b; }

/* Levenshtein's distance, one row at a time. */
static unsigned distance(const char *a, const char *b) {
  unsigned row[LONGEST + 1];
  size_t a_len = strlen(a), b_len = strlen(b), i, j;
  if (a_len > LONGEST || b_len > LONGEST)
    return LONGEST;
  for (j = 0; j <= b_len; j++)
    row[j] = (unsigned)j;
  for (i = 1; i <= a_len; i++) {
    unsigned diagonal = row[0];
    row[0] = (unsigned)i;
    for (j = 1; j <= b_len; j++) {
      unsigned change = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = smaller(change, smaller(row[j], row[j - 1]) + 1);
    }
  }
  return row[b_len];
}

const char *names_nearest(const char *name, const char *const *known) {
  unsigned best = (unsigned)strlen(name) / 3;
  const char *nearest = NULL;
  if (best < 1)
    best = 1;
  for (; *known; known++) {
    unsigned steps = distance(name, *known);
    if (steps < best || (steps == best && !nearest)) {
      best = steps;
      nearest = *known;
    }
  }
  return nearest;
}

int names_find(const char *name, const char *const *known) {
  int at;
  for (at = 0; known[at]; at++)
    if (!strcmp(known[at], name))
      return at;
  return -1;
}
