/* Most numbers need no more than 128-bit integers to be exact: a double is f * 2^e, a decimal is m / 10^k, and whether
 * one stands for the other is a comparison of f * 10^k with m * 2^-e. What does not fit goes through snprintf and
 * strtod, which are as exact and several times slower.
 */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"

enum { DIGITS_LEAST = 15, DIGITS_MOST = 17 }; /* any 15 digits survive in a double; 17 tell any two apart */

static const uint64_t powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9, 1e10,
                                  1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}; /* each exact as a double */
enum { POWERS = sizeof powers / sizeof *powers };

/* ---- Whatever the locale ---- */

static locale_t plain_locale;
static pthread_once_t plain_once = PTHREAD_ONCE_INIT;

static void make_plain_locale(void) { plain_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0); }

static locale_t enter_plain_locale(void) {
  pthread_once(&plain_once, make_plain_locale);
  return uselocale(plain_locale);
}

/* ---- Writing ---- */

static size_t write_digits(uint64_t value, unsigned least, char *out) {
  char reversed[20];
  size_t len = 0, i;
  for (; value > 0 || len < least; value /= 10)
    reversed[len++] = (char)('0' + value % 10);
  for (i = 0; i < len; i++)
    out[i] = reversed[len - 1 - i];
  return len;
}

size_t beam__decimal_write_integer(int64_t value, char *out) {
  if (value >= 0)
    return write_digits((uint64_t)value, 1, out);
  *out = '-';
  return 1 + write_digits(0 - (uint64_t)value, 1, out + 1);
}

/* m / 10^k */
static size_t write_fixed(uint64_t m, unsigned k, char *out) {
  static const unsigned steps[] = {8, 4, 2, 1};
  size_t len, i;
  for (i = 0; i < sizeof steps / sizeof *steps; i++)
    while (k >= steps[i] && m % powers[steps[i]] == 0) {
      m /= powers[steps[i]];
      k -= steps[i];
    }
  len = write_digits(k < POWERS ? m / powers[k] : 0, 1, out);
  out[len++] = '.';
  return len + write_digits(k < POWERS ? m % powers[k] : m, k > 0 ? k : 1, out + len);
}

#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 wide;

static wide power(unsigned k) { return k < POWERS ? powers[k] : (wide)powers[POWERS - 1] * powers[k - (POWERS - 1)]; }

/* The decimal exponent of 1e-4 <= value < 1e15. The doubles nearest to 0.1 to 0.0001 are above these. */
static int exponent_of(double value) {
  static const double fractions[] = {1, 0.1, 0.01, 0.001, 0.0001};
  int exponent = 0;
  if (value < 1) {
    while (value < fractions[-exponent])
      exponent--;
    return exponent;
  }
  while ((uint64_t)value >= powers[exponent + 1])
    exponent++;
  return exponent;
}

/* Whether m / 10^k reads as f / 2^shift: it does up to the middle between that and its neighbour. The middle itself has
 * more than 17 digits; and powers of two, whose neighbour below is nearer, have at most 15 here. */
static int stands_for(wide m, wide ten_k, uint64_t f, unsigned shift) {
  wide decimal = m << shift, binary = f * ten_k;
  return 2 * (decimal > binary ? decimal - binary : binary - decimal) < ten_k;
}

/* 0 for what is beyond its range, where there is an exponent to be written. */
static size_t write_within(double value, char *out) {
  uint64_t bits, f;
  unsigned shift, k;
  int digits, exponent;
  if (!(value >= 1e-4 && value < 1e15))
    return 0;
  memcpy(&bits, &value, sizeof bits);
  f = (bits & ((1ull << 52) - 1)) | 1ull << 52;
  shift = 1075 - (unsigned)(bits >> 52);
  exponent = exponent_of(value);
  for (digits = DIGITS_LEAST; digits <= DIGITS_MOST; digits++) {
    wide exact, m, rest;
    k = (unsigned)(digits - 1 - exponent);
    exact = f * power(k);
    m = exact >> shift;
    rest = exact - (m << shift);
    m += rest > (wide)1 << (shift - 1) || (rest == (wide)1 << (shift - 1) && m % 2 == 1);
    if (stands_for(m, power(k), f, shift))
      return write_fixed((uint64_t)m, k, out);
  }
  return 0;
}

#else
static size_t write_within(double value, char *out) {
  (void)value;
  (void)out;
  return 0;
}
#endif

static size_t write_any(double value, char *out) {
  char text[BEAM__DECIMAL_SIZE];
  locale_t before = enter_plain_locale();
  size_t len = 0;
  int digits;
  for (digits = DIGITS_LEAST; digits <= DIGITS_MOST; digits++) {
    len = (size_t)snprintf(text, sizeof text, "%.*g", digits, value);
    if (strtod(text, NULL) == value)
      break;
  }
  uselocale(before);
  memcpy(out, text, len);
  if (!memchr(text, '.', len) && !memchr(text, 'e', len)) {
    memcpy(out + len, ".0", 2);
    len += 2;
  }
  return len;
}

size_t beam__decimal_write(double value, char *out) {
  size_t sign = signbit(value) ? 1 : 0, len;
  *out = '-';
  len = write_within(fabs(value), out + sign);
  return sign + (len ? len : write_any(fabs(value), out + sign));
}

/* ---- Reading ---- */

/* A number of up to 19 digits: w * 10^exponent. */
struct short_decimal {
  uint64_t w;
  int exponent;
  int negative;
};

static const char *take_digits(struct short_decimal *decimal, const char *at, unsigned *digits) {
  for (; *at >= '0' && *at <= '9'; at++) {
    *digits += decimal->w > 0 || *at != '0';
    decimal->w = decimal->w * 10 + (uint64_t)(*at - '0');
  }
  return at;
}

static int read_short(struct short_decimal *decimal, const char *at, const char *end) {
  unsigned digits = 0;
  memset(decimal, 0, sizeof *decimal);
  decimal->negative = *at == '-';
  at = take_digits(decimal, at + decimal->negative, &digits);
  if (*at == '.') {
    const char *point = at + 1;
    at = take_digits(decimal, point, &digits);
    if (at - point > 1000)
      return 0;
    decimal->exponent = -(int)(at - point);
  }
  if (at < end) { /* an exponent */
    int negative = at[1] == '-', exponent = 0;
    at += at[1] == '-' || at[1] == '+' ? 2 : 1;
    if (end - at > 4)
      return 0;
    for (; at < end; at++)
      exponent = exponent * 10 + (*at - '0');
    decimal->exponent += negative ? -exponent : exponent;
  }
  return digits <= 19;
}

/* Both are exact, so that the one operation rounds once. */
static int read_by_one_operation(const struct short_decimal *decimal, double *value) {
#if FLT_EVAL_METHOD == 0
  static const double exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  int exponent = decimal->exponent;
  if (decimal->w <= 1ull << 53 && exponent >= -22 && exponent <= 22) {
    *value = exponent < 0 ? (double)decimal->w / exact[-exponent] : (double)decimal->w * exact[exponent];
    return 1;
  }
#endif
  (void)decimal;
  (void)value;
  return 0;
}

#ifdef __SIZEOF_INT128__

/* w * 2^64 / 10^k has at least 54 bits, for w > 2^53 and 10^k < 2^64: they are rounded to 53, to the even one from the
 * middle. */
static int read_by_division(const struct short_decimal *decimal, double *value) {
  unsigned k = (unsigned)-decimal->exponent, extra;
  wide dividend = (wide)decimal->w << 64, quotient, half, rest;
  uint64_t f;
  if (decimal->w <= 1ull << 53 || decimal->exponent > 0 || k >= POWERS)
    return 0;
  quotient = dividend / powers[k];
  extra = 75 - (unsigned)__builtin_clzll((uint64_t)(quotient >> 64) | 1);
  if (quotient >> 64 == 0)
    extra = 11 - (unsigned)__builtin_clzll((uint64_t)quotient);
  f = (uint64_t)(quotient >> extra);
  half = (wide)1 << (extra - 1);
  rest = quotient - ((wide)f << extra);
  f += rest > half || (rest == half && (f % 2 == 1 || quotient * powers[k] != dividend));
  *value = ldexp((double)f, (int)extra - 64);
  return 1;
}

#else
static int read_by_division(const struct short_decimal *decimal, double *value) {
  (void)decimal;
  (void)value;
  return 0;
}
#endif

double beam__decimal_read(const char *text, size_t len) {
  struct short_decimal decimal;
  double value;
  if (read_short(&decimal, text, text + len) &&
      (read_by_one_operation(&decimal, &value) || read_by_division(&decimal, &value)))
    return decimal.negative ? -value : value;
  locale_t before = enter_plain_locale();
  value = strtod(text, NULL);
  uselocale(before);
  return value;
}
