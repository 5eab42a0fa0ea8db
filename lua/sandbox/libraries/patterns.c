/* A pattern is a sequence of items, each followed by what comes after it: match() goes on through items without choice
 * by itself and calls itself where there is one, to try the rest. Backtracking can take time exponential in the
 * pattern's length, so every look at a character counts, and each STEPS of them are charged. */
#include "sandbox/libraries/patterns.h"

#include <ctype.h>
#include <lauxlib.h>
#include <string.h>

#include "sandbox/limits/limits.h"

enum {
  DEEPEST = 200, /* as in Lua: C stack */
  STEPS = 512,
  STEPS_OF_CHARGE = 2
};

/* One character class and what follows it. */
struct item {
  const char *start, *end; /* "a", "%a", "[…]", "." */
  char suffix;             /* '*', '+', '-', '?' or 0 */
};

static const char *match(struct pattern *pattern, const char *at, const char *rest);

static void count(struct pattern *pattern, size_t steps) {
  if (steps < STEPS && (pattern->steps += (int)steps) < STEPS)
    return;
  limits_charge(pattern->L, (steps < STEPS ? STEPS : steps) / STEPS_OF_CHARGE);
  pattern->steps = 0;
}

static void malformed(struct pattern *pattern, const char *why) {
  luaL_error(pattern->L, "malformed pattern (%s)", why);
}

/* ---- Character classes ---- */

static int in_class(int c, int class) {
  int found;
  switch (tolower(class)) {
  case 'a':
    found = isalpha(c);
    break;
  case 'c':
    found = iscntrl(c);
    break;
  case 'd':
    found = isdigit(c);
    break;
  case 'g':
    found = isgraph(c);
    break;
  case 'l':
    found = islower(c);
    break;
  case 'p':
    found = ispunct(c);
    break;
  case 's':
    found = isspace(c);
    break;
  case 'u':
    found = isupper(c);
    break;
  case 'w':
    found = isalnum(c);
    break;
  case 'x':
    found = isxdigit(c);
    break;
  case 'z': /* of Lua 5.1, still there */
    found = c == 0;
    break;
  default:
    return class == c;
  }
  return isupper(class) ? !found : !!found;
}

/* The end of the set that begins at `set`, a '['. A ']' that comes first is one of its members. */
static const char *set_end(struct pattern *pattern, const char *set) {
  const char *p = set + 1;
  if (p < pattern->end && *p == '^')
    p++;
  do {
    if (p >= pattern->end)
      malformed(pattern, "missing ']'");
    if (*p++ == '%')
      p++;
  } while (p >= pattern->end || *p != ']');
  count(pattern, (size_t)(p - set));
  return p + 1;
}

static int in_set(struct pattern *pattern, int c, const char *set, const char *end) {
  const char *p = set + 1, *last = end - 1; /* the ']' */
  int found = 1;
  count(pattern, (size_t)(end - set) / 4);
  if (*p == '^') {
    found = 0;
    p++;
  }
  while (p < last) {
    if (*p == '%') {
      if (in_class(c, (unsigned char)p[1]))
        return found;
      p += 2;
    } else if (last - p > 2 && p[1] == '-') {
      if ((unsigned char)p[0] <= c && c <= (unsigned char)p[2])
        return found;
      p += 3;
    } else if ((unsigned char)*p++ == c) {
      return found;
    }
  }
  return !found;
}

static struct item read_item(struct pattern *pattern, const char *at) {
  struct item item = {at, at + 1, 0};
  if (*at == '%') {
    if (at + 1 >= pattern->end)
      malformed(pattern, "ends with '%'");
    item.end = at + 2;
  } else if (*at == '[') {
    item.end = set_end(pattern, at);
  }
  if (item.end < pattern->end && strchr("*+-?", *item.end) && *item.end)
    item.suffix = *item.end;
  return item;
}

static int fits(struct pattern *pattern, const char *at, const struct item *item) {
  int c;
  count(pattern, 1);
  if (at >= pattern->subject_end)
    return 0;
  c = (unsigned char)*at;
  switch (*item->start) {
  case '.':
    return 1;
  case '%':
    return in_class(c, (unsigned char)item->start[1]);
  case '[':
    return in_set(pattern, c, item->start, item->end);
  default:
    return (unsigned char)*item->start == c;
  }
}

/* ---- Repetition ---- */

static const char *match_most(struct pattern *pattern, const char *at, const struct item *item) {
  const char *last = at, *end;
  while (fits(pattern, last, item))
    last++;
  while (!(end = match(pattern, last, item->end + 1)) && last > at)
    last--;
  return end;
}

static const char *match_least(struct pattern *pattern, const char *at, const struct item *item) {
  for (;; at++) {
    const char *end = match(pattern, at, item->end + 1);
    if (end)
      return end;
    if (!fits(pattern, at, item))
      return NULL;
  }
}

/* ---- Captures ---- */

static const char *open_capture(struct pattern *pattern, const char *at, const char *rest) {
  int is_position = rest < pattern->end && *rest == ')';
  const char *end;
  if (pattern->captures == PATTERN_CAPTURES)
    luaL_error(pattern->L, "too many captures");
  pattern->capture[pattern->captures].start = at;
  pattern->capture[pattern->captures++].len = is_position ? CAPTURE_POSITION : CAPTURE_OPEN;
  end = match(pattern, at, rest + is_position);
  if (!end)
    pattern->captures--;
  return end;
}

static const char *close_capture(struct pattern *pattern, const char *at, const char *rest) {
  int which = pattern->captures - 1;
  const char *end;
  while (which >= 0 && pattern->capture[which].len != CAPTURE_OPEN)
    which--;
  if (which < 0)
    luaL_error(pattern->L, "invalid pattern capture");
  pattern->capture[which].len = at - pattern->capture[which].start;
  end = match(pattern, at, rest);
  if (!end)
    pattern->capture[which].len = CAPTURE_OPEN;
  return end;
}

/* %1 to %9: the end of the same text again, or NULL. */
static const char *match_again(struct pattern *pattern, const char *at, char digit) {
  int which = digit - '1';
  size_t len;
  if (which < 0 || which >= pattern->captures || pattern->capture[which].len == CAPTURE_OPEN)
    luaL_error(pattern->L, "invalid capture index %%%d", which + 1);
  len = pattern->capture[which].len < 0 ? 0 : (size_t)pattern->capture[which].len;
  if (pattern->capture[which].len == CAPTURE_POSITION || (size_t)(pattern->subject_end - at) < len)
    return NULL;
  count(pattern, 1 + len / 16);
  return memcmp(pattern->capture[which].start, at, len) == 0 ? at + len : NULL;
}

/* %bxy: the end of a balanced text, or NULL. `pair` is at the x. */
static const char *match_balanced(struct pattern *pattern, const char *at, const char *pair) {
  size_t open = 0;
  if (pattern->end - pair < 2)
    malformed(pattern, "missing arguments to '%b'");
  if (at >= pattern->subject_end || *at != pair[0])
    return NULL;
  for (; at < pattern->subject_end; at++) {
    count(pattern, 1);
    if (*at == pair[1] && open && --open == 0)
      return at + 1;
    else if (*at == pair[0] && (pair[0] != pair[1] || !open))
      open++;
  }
  return NULL;
}

/* %f[set]: whether the set begins here. */
static int at_frontier(struct pattern *pattern, const char *at, const char *set, const char *end) {
  int before = at == pattern->subject ? 0 : (unsigned char)at[-1];
  int here = at == pattern->subject_end ? 0 : (unsigned char)*at;
  return !in_set(pattern, before, set, end) && in_set(pattern, here, set, end);
}

/* ---- The items in order ---- */

/* An item that begins with '%' and is no class: moves both on, and returns 1 for a fit, 0 for none, -1 for a class
 * after all. */
static int match_special(struct pattern *pattern, const char **at, const char **rest) {
  const char *p = *rest, *end;
  char kind = p + 1 < pattern->end ? p[1] : 0;
  if (kind == 'b') {
    end = match_balanced(pattern, *at, p + 2);
    *rest = p + 4;
  } else if (kind >= '0' && kind <= '9') {
    end = match_again(pattern, *at, kind);
    *rest = p + 2;
  } else if (kind == 'f') {
    if (p + 2 >= pattern->end || p[2] != '[')
      luaL_error(pattern->L, "missing '[' after '%%f' in pattern");
    *rest = set_end(pattern, p + 2);
    return at_frontier(pattern, *at, p + 2, *rest);
  } else {
    return -1;
  }
  *at = end;
  return end != NULL;
}

/* One item: moves both on and returns 1, or returns 0 with `at` the result of all the rest. */
static int match_item(struct pattern *pattern, const char **at, const char **rest) {
  struct item item = read_item(pattern, *rest);
  if (item.suffix == '-' || item.suffix == '*') {
    *at = (item.suffix == '-' ? match_least : match_most)(pattern, *at, &item);
    return 0;
  }
  if (!fits(pattern, *at, &item)) {
    *rest = item.end + 1;
    if (item.suffix == '?')
      return 1;
    *at = NULL;
    return 0;
  }
  if (item.suffix == '+') {
    *at = match_most(pattern, *at + 1, &item);
    return 0;
  }
  if (item.suffix == '?') {
    const char *end = match(pattern, *at + 1, item.end + 1);
    *rest = item.end + 1;
    if (!end)
      return 1;
    *at = end;
    return 0;
  }
  *at += 1;
  *rest = item.end;
  return 1;
}

/* The end of what matches `rest` at `at`, or NULL. */
static const char *match_rest(struct pattern *pattern, const char *at, const char *rest) {
  while (rest < pattern->end) {
    int special = -1;
    if (*rest == '(')
      return open_capture(pattern, at, rest + 1);
    if (*rest == ')')
      return close_capture(pattern, at, rest + 1);
    if (*rest == '$' && rest + 1 == pattern->end)
      return at == pattern->subject_end ? at : NULL;
    if (*rest == '%')
      special = match_special(pattern, &at, &rest);
    if (special == 0)
      return NULL;
    if (special < 0 && !match_item(pattern, &at, &rest))
      return at;
  }
  return at;
}

static const char *match(struct pattern *pattern, const char *at, const char *rest) {
  const char *end;
  count(pattern, 1);
  if (pattern->depth++ == DEEPEST)
    luaL_error(pattern->L, "pattern too complex");
  end = match_rest(pattern, at, rest);
  pattern->depth--;
  return end;
}

void pattern_init(struct pattern *pattern, lua_State *L, const char *subject, size_t subject_len, const char *text,
                  size_t len) {
  pattern->L = L;
  pattern->subject = subject;
  pattern->subject_end = subject + subject_len;
  pattern->anchored = len && *text == '^';
  pattern->text = text + pattern->anchored;
  pattern->end = text + len;
  pattern->captures = pattern->depth = pattern->steps = 0;
}

const char *pattern_match(struct pattern *pattern, const char *at) {
  pattern->captures = pattern->depth = 0;
  return match(pattern, at, pattern->text);
}

int pattern_is_plain(const char *text, size_t len) {
  size_t at;
  for (at = 0; at < len; at++)
    if (text[at] && strchr("^$*+?.([%-", text[at]))
      return 0;
  return 1;
}
