/* Lua's patterns (manual, 6.4.1), matched under a budget. Nothing is allocated. */
#pragma once

#include <lua.h>
#include <stddef.h>

enum { PATTERN_CAPTURES = 32 };

struct pattern_capture {
  const char *start;
  ptrdiff_t len; /* or one of these: */
};
enum { CAPTURE_OPEN = -1, CAPTURE_POSITION = -2 };

struct pattern {
  lua_State *L; /* raises for a pattern that is malformed or too deep, and if the budget is used up */
  const char *subject, *subject_end;
  const char *text, *end; /* without a leading ^ */
  int anchored;
  int depth, steps;
  int captures; /* of the last match */
  struct pattern_capture capture[PATTERN_CAPTURES];
};

void pattern_init(struct pattern *pattern, lua_State *L, const char *subject, size_t subject_len, const char *text,
                  size_t len);
/* The end of the match that begins at `at`, or NULL. */
const char *pattern_match(struct pattern *pattern, const char *at);
/* Whether it is only a text to be found. */
int pattern_is_plain(const char *text, size_t len);
