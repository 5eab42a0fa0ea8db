#include "base/ascii.h"

int beam__ascii_is_digit(char c) { return c >= '0' && c <= '9'; }
int beam__ascii_is_control(char c) { return (unsigned char)c < ' ' || c == 0x7f; }

int beam__ascii_is_letter(char c) {
  c = beam__ascii_lower(c);
  return c >= 'a' && c <= 'z';
}

int beam__ascii_same(const char *a, const char *b) {
  for (; *a && beam__ascii_lower(*a) == beam__ascii_lower(*b); a++, b++)
    ;
  return *a == *b;
}

int beam__ascii_same_start(const char *a, const char *b, size_t len) {
  for (; len && *a && beam__ascii_lower(*a) == beam__ascii_lower(*b); a++, b++)
    len--;
  return !len || *a == *b;
}
