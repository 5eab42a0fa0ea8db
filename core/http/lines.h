/* The headers of a request, as curl wants them: a list of lines, here in one piece of memory, which is wiped when the
 * request is over, for credentials stand in it, and used again for the next one.
 */
#pragma once

#include <curl/curl.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

typedef struct beam__lines { /* zero-initialise */
  struct curl_slist *list;   /* NULL: no header */
  char *memory;              /* the list's nodes, then their lines */
  size_t count, used, size;
} beam__lines;

/* Begins a list of up to `count` lines with `text` bytes of names and values. 0 or BEAM_ENO_MEMORY. */
int beam__lines_begin(beam__lines *lines, size_t count, size_t text);
/* Adds "name: value", or curl's spelling of an empty value. There must be room: the names and values are no longer than
 * was said. */
void beam__lines_add(beam__lines *lines, const char *name, const char *value);
/* What curl would add by itself: it takes that away. */
void beam__lines_suppress(beam__lines *lines, const char *name);
void beam__lines_wipe(beam__lines *lines); /* the memory stays */
void beam__lines_free(beam__lines *lines); /* zeroed is fine; wiped or not */

#pragma GCC visibility pop
