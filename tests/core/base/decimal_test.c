/* Numbers as text and back, against snprintf and strtod. */
#include <math.h>

#include "base/decimal.h"
#include "test.h"

enum { ROUNDS = 200000 };

/* xorshift64 */
static uint64_t next(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  return *state ^= *state << 17;
}

/* The double nearest to 10^exponent, without libm. */
static double ten_to(int exponent) {
  char text[16];
  snprintf(text, sizeof text, "1e%d", exponent);
  return strtod(text, NULL);
}

static double from_bits(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static uint64_t bits_of(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/* The fewest of 15 to 17 digits, by the C library. */
static void expected_text(double value, char *text) {
  int digits = 15;
  do
    snprintf(text, BEAM__DECIMAL_SIZE, "%.*g", digits, value);
  while (strtod(text, NULL) != value && digits++ < 17);
  if (!strpbrk(text, ".e"))
    strcat(text, ".0");
}

/* Written and read again. Returns 1 if something is wrong, and says what, the first time. */
static unsigned wrong(double value) {
  static int said;
  char text[BEAM__DECIMAL_SIZE + 1], expected[BEAM__DECIMAL_SIZE + 1];
  size_t len = beam__decimal_write(value, text);
  double back;
  text[len] = '\0';
  expected_text(value, expected);
  back = beam__decimal_read(text, len);
  if (strcmp(text, expected) == 0 && memcmp(&back, &value, sizeof value) == 0)
    return 0;
  if (said++ == 0)
    printf("# wrote %s, expected %s; read %.17g\n", text, expected, back);
  return 1;
}

static void any_double(void) {
  uint64_t state = 88172645463325252u;
  unsigned i, count = 0;
  for (i = 0; i < ROUNDS; i++) {
    double value = from_bits(next(&state));
    count += isfinite(value) && wrong(value);
  }
  CHECK_INT(count, 0);
}

/* From 1e-5 to 1e16, where the integers do the work and where they end. */
static void usual_double(void) {
  uint64_t state = 1181783497276652981u;
  unsigned i, count = 0;
  for (i = 0; i < ROUNDS; i++) {
    uint64_t exponent = 1023 - 17 + next(&state) % 71;
    count += wrong(from_bits(exponent << 52 | next(&state) >> 12));
    count += wrong((double)(next(&state) % 1000000) / ten_to((int)(next(&state) % 9)));
    count += wrong((double)(float)from_bits(exponent << 52 | next(&state) >> 12));
  }
  CHECK_INT(count, 0);
}

/* Powers of two have a nearer neighbour below; what stands next to powers of ten rounds over them. */
static void borders(void) {
  unsigned count = 0;
  int exponent, step;
  for (exponent = -1074; exponent < 1024; exponent++) {
    double power = ldexp(1, exponent);
    count += wrong(power) + wrong(from_bits(bits_of(power) - 1)) + wrong(from_bits(bits_of(power) + 1)) + wrong(-power);
  }
  for (exponent = -307; exponent < 308; exponent++) {
    double power = ten_to(exponent);
    for (step = 0; step < 20; step++, power = from_bits(bits_of(power) - 1))
      count += wrong(power);
  }
  count +=
      wrong(0.0) + wrong(-0.0) + wrong(1.7976931348623157e308) + wrong(999999999999999.9) + wrong(0.30000000000000004);
  CHECK_INT(count, 0);
}

static unsigned misread(const char *text) {
  static int said;
  double value = beam__decimal_read(text, strlen(text)), expected = strtod(text, NULL);
  if (memcmp(&value, &expected, sizeof value) == 0)
    return 0;
  if (said++ == 0)
    printf("# read %s as %.17g, expected %.17g\n", text, value, expected);
  return 1;
}

/* 1 to 22 digits around a point, with and without an exponent; many stand in the middle between two doubles. */
static void any_text(void) {
  uint64_t state = 2685821657736338717u;
  unsigned i, count = 0;
  char text[80];
  for (i = 0; i < ROUNDS; i++) {
    unsigned long long whole = next(&state) >> next(&state) % 64, fraction = next(&state) >> next(&state) % 64;
    int exponent = (int)(next(&state) % 60) - 30;
    snprintf(text, sizeof text, "%s%llu.%0*llu", next(&state) % 2 ? "-" : "", whole % 1000, (int)(next(&state) % 20),
             fraction);
    count += misread(text);
    snprintf(text, sizeof text, "%llu.%llue%d", whole, fraction % 1000, exponent);
    count += misread(text);
    snprintf(text, sizeof text, "%llu.5", (whole | 1ull << 52) >> 1 & ((1ull << 54) - 1));
    count += misread(text);
  }
  CHECK_INT(count, 0);
}

static void odd_text(void) {
  static const char *const texts[] = {"0e5",
                                      "-0",
                                      "-0.0e-7",
                                      "1e22",
                                      "1e23",
                                      "9007199254740993",
                                      "9007199254740993.0",
                                      "1e400",
                                      "1e-400",
                                      "18446744073709551616",
                                      "18446744073709551615e0",
                                      "1e0000000000000000001",
                                      "0.000000000000000000000000000000000000000000000001",
                                      "4.9e-324",
                                      "2.2250738585072011e-308",
                                      "36893488147419103232.0",
                                      "9.5367431640625e-07",
                                      "123456789012345678901234567890e-25"};
  char zeros[3000];
  unsigned i, count = 0;
  for (i = 0; i < sizeof texts / sizeof *texts; i++)
    count += misread(texts[i]);
  memset(zeros, '0', sizeof zeros);
  memcpy(zeros, "0.", 2);
  memcpy(zeros + sizeof zeros - 8, "17e2000", 8);
  count += misread(zeros);
  CHECK_INT(count, 0);
}

static void integers(void) {
  static const int64_t values[] = {0, 1, -1, 9, 10, 99, 100, -1000, 9007199254740993, INT64_MAX, INT64_MIN};
  char text[BEAM__DECIMAL_SIZE + 1], expected[BEAM__DECIMAL_SIZE + 1];
  unsigned i;
  for (i = 0; i < sizeof values / sizeof *values; i++) {
    text[beam__decimal_write_integer(values[i], text)] = '\0';
    snprintf(expected, sizeof expected, "%lld", (long long)values[i]);
    CHECK_STR(text, expected);
  }
}

int main(void) {
  RUN(any_double);
  RUN(usual_double);
  RUN(borders);
  RUN(any_text);
  RUN(odd_text);
  RUN(integers);
  return test_end();
}
