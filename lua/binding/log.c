/* The lines of libbeam's log. It speaks from within its calls, where no Lua may run: lines are kept and handed to the
 * log function before the next event function, at the end of the step, or on ctx:close. */
#include <stdlib.h>
#include <string.h>

#include "binding.h"

enum { LINES_MAX = 256 }; /* kept between two steps; what is more is counted and dropped */

struct log_line {
  struct log_line *next;
  enum beam_log_level level;
  char text[];
};

const char *const log_levels[] = {"error", "warning", "info", "debug", NULL};

void log_keep(void *user, enum beam_log_level level, const char *text) {
  struct context *context = user;
  size_t size = strlen(text) + 1;
  struct log_line *line;
  if (context->log == LUA_NOREF)
    return;
  line = context->line_count < LINES_MAX ? malloc(sizeof *line + size) : NULL;
  if (!line) {
    context->lines_lost++;
    return;
  }
  line->next = NULL;
  line->level = level;
  memcpy(line->text, text, size);
  *context->last_line = line;
  context->last_line = &line->next;
  context->line_count++;
}

static struct log_line *take(struct context *context) {
  struct log_line *line = context->lines;
  context->lines = line->next;
  context->line_count--;
  if (!context->lines)
    context->last_line = &context->lines;
  return line;
}

static int push_line(lua_State *L, void *event) {
  struct log_line *line = event;
  lua_pushstring(L, log_levels[line->level]);
  lua_pushstring(L, line->text);
  return 2;
}

static int push_lost(lua_State *L, void *event) {
  lua_pushstring(L, log_levels[BEAM_LOG_WARNING]);
  lua_pushfstring(L, "%d log lines were dropped: more than %d came in one step", (int)*(unsigned *)event, LINES_MAX);
  return 2;
}

/* Only the lines that are there: those that the log function causes wait for the next time. */
void log_flush(struct context *context) {
  unsigned count = context->line_count, lost = context->lines_lost;
  context->lines_lost = 0;
  while (count-- > 0) {
    struct log_line *line = take(context);
    event_call(context, context->log, push_line, line);
    free(line);
  }
  if (lost)
    event_call(context, context->log, push_lost, &lost);
}

void log_end(lua_State *L, struct context *context, int live) {
  luaL_unref(L, live, context->log);
  context->log = LUA_NOREF;
  while (context->lines)
    free(take(context));
}
