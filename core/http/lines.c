#include "http/lines.h"

#include <stdlib.h>
#include <string.h>

#include "internal.h"

enum { EXTRA = 3 }; /* bytes of a line beside name and value: ": " and NUL */

int beam__lines_begin(beam__lines *lines, size_t count, size_t text) {
  size_t nodes = count * sizeof *lines->list, wanted = nodes + count * EXTRA + text;
  lines->list = NULL;
  if (wanted > lines->size) {
    char *memory = malloc(wanted);
    if (!memory)
      return BEAM_ENO_MEMORY;
    free(lines->memory); /* wiped since its last use */
    lines->memory = memory;
    lines->size = wanted;
  }
  lines->count = 0;
  lines->used = nodes;
  return 0;
}

static char *put(char *to, const char *text) {
  size_t len = strlen(text);
  memcpy(to, text, len);
  return to + len;
}

static void end_line(beam__lines *lines, char *line, const char *end) {
  struct curl_slist *nodes = (struct curl_slist *)(void *)lines->memory, *node = nodes + lines->count;
  node->data = line;
  node->next = NULL;
  if (lines->count++)
    node[-1].next = node;
  lines->list = nodes;
  lines->used = (size_t)(end - lines->memory);
}

void beam__lines_add(beam__lines *lines, const char *name, const char *value) {
  int empty = !value[strspn(value, " \t")];
  char *line = lines->memory + lines->used, *at = put(line, name);
  at = empty ? put(at, ";") : put(put(at, ": "), value);
  *at++ = '\0';
  end_line(lines, line, at);
}

void beam__lines_suppress(beam__lines *lines, const char *name) {
  char *line = lines->memory + lines->used, *at = put(put(line, name), ":");
  *at++ = '\0';
  end_line(lines, line, at);
}

void beam__lines_wipe(beam__lines *lines) {
  if (lines->memory)
    beam__wipe(lines->memory, lines->used);
  lines->list = NULL;
  lines->count = lines->used = 0;
}

void beam__lines_free(beam__lines *lines) {
  beam__lines_wipe(lines);
  free(lines->memory);
  memset(lines, 0, sizeof *lines);
}
