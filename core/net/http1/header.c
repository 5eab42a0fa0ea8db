#include "net/http1/header.h"

#include <string.h>

#include "base/ascii.h"
#include "internal.h"

/* ---- Text ---- */

/* RFC 9110 section 5.6.2: letters, digits and !#$%&'*+-.^_`|~ */
static const char token_characters[128] = {
    ['!'] = 1, ['#'] = 1, ['$'] = 1, ['%'] = 1, ['&'] = 1, ['\''] = 1, ['*'] = 1, ['+'] = 1, ['-'] = 1, ['.'] = 1,
    ['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1,  ['6'] = 1, ['7'] = 1, ['8'] = 1, ['9'] = 1,
    ['A'] = 1, ['B'] = 1, ['C'] = 1, ['D'] = 1, ['E'] = 1, ['F'] = 1,  ['G'] = 1, ['H'] = 1, ['I'] = 1, ['J'] = 1,
    ['K'] = 1, ['L'] = 1, ['M'] = 1, ['N'] = 1, ['O'] = 1, ['P'] = 1,  ['Q'] = 1, ['R'] = 1, ['S'] = 1, ['T'] = 1,
    ['U'] = 1, ['V'] = 1, ['W'] = 1, ['X'] = 1, ['Y'] = 1, ['Z'] = 1,  ['^'] = 1, ['_'] = 1, ['`'] = 1, ['a'] = 1,
    ['b'] = 1, ['c'] = 1, ['d'] = 1, ['e'] = 1, ['f'] = 1, ['g'] = 1,  ['h'] = 1, ['i'] = 1, ['j'] = 1, ['k'] = 1,
    ['l'] = 1, ['m'] = 1, ['n'] = 1, ['o'] = 1, ['p'] = 1, ['q'] = 1,  ['r'] = 1, ['s'] = 1, ['t'] = 1, ['u'] = 1,
    ['v'] = 1, ['w'] = 1, ['x'] = 1, ['y'] = 1, ['z'] = 1, ['|'] = 1,  ['~'] = 1,
};

int beam__is_token_character(char c) { return (unsigned char)c < 128 && token_characters[(unsigned char)c]; }

int beam__is_token(const char *text, size_t len) {
  size_t i;
  for (i = 0; i < len; i++)
    if (!beam__is_token_character(text[i]))
      return 0;
  return len > 0;
}

int beam__is_blank(char c) { return c == ' ' || c == '\t'; }

beam__slice beam__slice_of(const char *text) { return (beam__slice){text, text ? strlen(text) : 0}; }

char *beam__slice_copy(beam__slice slice, char **to) {
  char *text = *to;
  memcpy(text, slice.at, slice.len);
  text[slice.len] = '\0';
  *to += slice.len + 1;
  return text;
}

char *beam__slice_lower(beam__slice slice, char **to) {
  char *text = beam__slice_copy(slice, to), *c;
  for (c = text; *c; c++)
    *c = beam__ascii_lower(*c);
  return text;
}

beam__slice beam__slice_trim(beam__slice slice) {
  while (slice.len && beam__is_blank(slice.at[slice.len - 1]))
    slice.len--;
  while (slice.len && beam__is_blank(*slice.at))
    slice.at++, slice.len--;
  return slice;
}

int beam__slice_same(beam__slice a, beam__slice b) {
  return a.len == b.len && (!a.len || beam__ascii_same_start(a.at, b.at, a.len));
}

int beam__slice_is(beam__slice slice, const char *text) { return beam__slice_same(slice, beam__slice_of(text)); }

/* ---- Lists ---- */

/* Up to the next comma, which is taken too. */
static beam__slice cut(beam__slice *list) {
  const char *comma = memchr(list->at, ',', list->len);
  beam__slice element = {list->at, comma ? (size_t)(comma - list->at) : list->len};
  size_t taken = element.len + (comma != NULL);
  list->at += taken;
  list->len -= taken;
  return beam__slice_trim(element);
}

int beam__list_next(beam__slice *list, beam__slice *element) {
  element->len = 0;
  while (list->len && !element->len)
    *element = cut(list);
  return element->len > 0;
}

int beam__list_holds(beam__slice list, beam__slice token) {
  beam__slice element;
  while (beam__list_next(&list, &element))
    if (beam__slice_same(element, token))
      return 1;
  return 0;
}

int beam__slice_lists(beam__slice list, const char *token) { return beam__list_holds(list, beam__slice_of(token)); }

/* ---- Headers of ours ---- */

/* The first of this name from `from` on; `count`: there is none. */
static size_t find(const beam_header *headers, size_t count, const char *name, size_t from) {
  while (from < count && !beam__ascii_same(headers[from].name, name))
    from++;
  return from;
}

const char *beam__header_find(const beam_header *headers, size_t count, const char *name) {
  size_t i = find(headers, count, name, 0);
  return i < count ? headers[i].value : NULL;
}

size_t beam__header_count(const beam_header *headers, size_t count, const char *name) {
  size_t i, found = 0;
  for (i = find(headers, count, name, 0); i < count; i = find(headers, count, name, i + 1))
    found++;
  return found;
}

int beam__header_lists(const beam_header *headers, size_t count, const char *name, const char *token) {
  size_t i;
  for (i = find(headers, count, name, 0); i < count; i = find(headers, count, name, i + 1))
    if (beam__slice_lists(beam__slice_of(headers[i].value), token))
      return 1;
  return 0;
}

int beam__header_is_empty(const beam_header *headers, size_t count, const char *name) {
  size_t i;
  beam__slice element;
  for (i = find(headers, count, name, 0); i < count; i = find(headers, count, name, i + 1)) {
    beam__slice list = beam__slice_of(headers[i].value);
    if (beam__list_next(&list, &element))
      return 0;
  }
  return 1;
}

static int is_value(const char *value) {
  for (; *value; value++)
    if (beam__ascii_is_control(*value) && *value != '\t')
      return 0;
  return 1;
}

int beam__headers_check(const beam_header *headers, size_t count, beam_error *error) {
  size_t i;
  for (i = 0; i < count; i++) {
    if (!headers[i].name || !beam__is_token(headers[i].name, strlen(headers[i].name)))
      return beam__invalid(
          error, "invalid header: the name of header %zu is empty or has a character in it that none may have", i + 1);
    if (!headers[i].value || !is_value(headers[i].value))
      return beam__invalid(error,
                           "invalid header: the value of \"%.64s\" has a line break or another control character in it",
                           headers[i].name);
  }
  return 0;
}
