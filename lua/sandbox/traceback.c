/* A traceback with the script's lines only: what runs in C is the host's business. */
#include "sandbox/traceback.h"

#include <stdio.h>
#include <string.h>

enum { SHOWN = 20 };

void trace_clear(struct trace *trace) {
  trace->file[0] = trace->text[0] = '\0';
  trace->line = 0;
}

/* Adds a line; returns 0 if there is no place for it. */
static int add(struct trace *trace, size_t *len, const lua_Debug *frame) {
  char *to = trace->text + *len;
  size_t size = sizeof trace->text - *len;
  const char *separator = *len ? "\n" : "";
  int added;
  if (*frame->what == 'm')
    added = snprintf(to, size, "%s%s:%d: in main chunk", separator, frame->short_src, frame->currentline);
  else if (frame->name)
    added = snprintf(to, size, "%s%s:%d: in %s '%.60s'", separator, frame->short_src, frame->currentline,
                     *frame->namewhat ? frame->namewhat : "function", frame->name);
  else
    added = snprintf(to, size, "%s%s:%d: in function <%s:%d>", separator, frame->short_src, frame->currentline,
                     frame->short_src, frame->linedefined);
  if (added < 0 || (size_t)added >= size) {
    *to = '\0';
    return 0;
  }
  *len += (size_t)added;
  return 1;
}

void trace_note(struct trace *trace, lua_State *L) {
  lua_Debug frame;
  size_t len = 0;
  int level, shown = 0;
  trace_clear(trace);
  for (level = 0; shown < SHOWN && lua_getstack(L, level, &frame); level++) {
    lua_getinfo(L, "Sln", &frame);
    if (*frame.what == 'C')
      continue;
    if (!shown++) {
      memcpy(trace->file, frame.short_src, sizeof trace->file);
      trace->line = frame.currentline;
    }
    if (!add(trace, &len, &frame))
      return;
  }
}
