/* Inputs that end at an unreadable page: reading one byte too far ends the test. */
#ifndef BEAM_PAGE_H
#define BEAM_PAGE_H

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE_SPACE = 1 << 17 };

static char *page_end;

static inline void make_page(void) {
  long page = sysconf(_SC_PAGESIZE);
  char *space = mmap(NULL, PAGE_SPACE + (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (space == MAP_FAILED || mprotect(space + PAGE_SPACE, (size_t)page, PROT_NONE))
    abort();
  page_end = space + PAGE_SPACE;
}

/* The only copy: the next call overwrites it. */
static inline const char *at_page(const char *bytes, size_t len) { return memcpy(page_end - len, bytes, len); }

#endif
