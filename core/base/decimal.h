/* Numbers as the decimal text of JSON (RFC 8259 section 6) and back, exactly, whatever the locale. No state, no
 * allocation.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

enum { BEAM__DECIMAL_SIZE = 32 }; /* enough for what is written, without a NUL */

/* Writes a finite double with the fewest of 15, 16 or 17 digits that read back as the same one, without trailing zeros,
 * and always with a point or an exponent: 0.1, 1.0, 1e+300. Returns the length. */
size_t beam__decimal_write(double value, char *out);
size_t beam__decimal_write_integer(int64_t value, char *out);

/* The double nearest to a number in the form of JSON, of any length; infinite if it is too large. text[len] must be
 * readable and cannot be part of a number (a NUL, a comma). */
double beam__decimal_read(const char *text, size_t len);

#pragma GCC visibility pop
