/* What a header is (RFC 9110 sections 5 and 7.6.1): names, values and lists, for the server, the handshake and calls
 * alike. Pure; ASCII, whatever the locale.
 */
#pragma once

#include "beam.h"

#pragma GCC visibility push(hidden)

/* Bytes of somebody else's, not NUL-terminated. */
typedef struct beam__slice {
  const char *at;
  size_t len;
} beam__slice;

typedef struct beam__field {
  beam__slice name;  /* as sent, at least one byte */
  beam__slice value; /* without the white space around it */
} beam__field;

/* ---- Text ---- */

/* Is it a token of section 5.6.2, as methods and names must be? */
int beam__is_token(const char *text, size_t len);
int beam__is_token_character(char c);
beam__slice beam__slice_of(const char *text); /* NULL is empty */
/* A copy with a NUL at *to, which moves behind it: as it is, and in lower case. */
char *beam__slice_copy(beam__slice slice, char **to);
char *beam__slice_lower(beam__slice slice, char **to);
/* A space or a tab. */
int beam__is_blank(char c);
/* Without the blanks around it. */
beam__slice beam__slice_trim(beam__slice slice);
/* Is it this text, in letters of either case? */
int beam__slice_is(beam__slice slice, const char *text);
int beam__slice_same(beam__slice a, beam__slice b);

/* ---- Lists: elements between commas, some of them empty (section 5.6.1.2) ---- */

/* Takes the next element that is not empty off the front of the list. 0: there is none. */
int beam__list_next(beam__slice *list, beam__slice *element);
/* Is the token one of the elements, in letters of either case? */
int beam__list_holds(beam__slice list, beam__slice token);
int beam__slice_lists(beam__slice list, const char *token);

/* ---- Headers of ours: names are compared without case ---- */

/* The first value of a header; NULL if it is not there. */
const char *beam__header_find(const beam_header *headers, size_t count, const char *name);
/* How many lines of this name there are. */
size_t beam__header_count(const beam_header *headers, size_t count, const char *name);
/* Is the token an element of the list that all lines of this name make together? */
int beam__header_lists(const beam_header *headers, size_t count, const char *name, const char *token);
/* Do all lines of this name together hold no element at all? */
int beam__header_is_empty(const beam_header *headers, size_t count, const char *name);
/* BEAM_EINVALID unless each name is a token and each value free of control characters. */
int beam__headers_check(const beam_header *headers, size_t count, beam_error *error);

#pragma GCC visibility pop
