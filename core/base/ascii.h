/* Letters and digits of ASCII, whatever the process's locale: a Turkish tolower makes no "i" of "I". */
#pragma once

#include <stddef.h>

#pragma GCC visibility push(hidden)

static inline char beam__ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c; }

int beam__ascii_is_digit(char c);
int beam__ascii_is_letter(char c);
int beam__ascii_is_control(char c); /* below the space, and DEL */
/* Compared without case, as strcasecmp and strncasecmp would in the C locale. */
int beam__ascii_same(const char *a, const char *b);
int beam__ascii_same_start(const char *a, const char *b, size_t len);

#pragma GCC visibility pop
