/* Error codes, their names, and the one way to fill a beam_error. */
#include <stdio.h>
#include <string.h>

#include "internal.h"

const char *beam_version(void) { return BEAM_VERSION; }

const char *beam_error_kind(int code) {
  switch (code) {
#define X(name, value, kind, text)                                                                                     \
  case value:                                                                                                          \
    return kind;
    BEAM_ERROR_MAP(X)
#undef X
  default:
    return "unknown";
  }
}

const char *beam_phase_name(enum beam_phase phase) {
  switch (phase) {
#define X(name, text)                                                                                                  \
  case BEAM_PHASE_##name:                                                                                              \
    return text;
    BEAM_PHASE_MAP(X)
#undef X
  }
  return "unknown";
}

/* Not uv_strerror, which leaks for a number that it does not know. */
const char *beam__system_text(int system, char *to, size_t size) {
  return system ? uv_strerror_r(uv_translate_sys_error(system), to, size) : "closed by the other side";
}

void beam__show(char *to, size_t size, const char *text) {
  char *end = to + size;
  for (; *text; text++) {
    int is_control = (unsigned char)*text < 32 || *text == 127;
    if (end - to <= (is_control ? 4 : 1))
      break;
    if (is_control)
      to += snprintf(to, 5, "\\x%02x", (unsigned char)*text);
    else
      *to++ = *text;
  }
  *to = '\0';
}

int beam__error(beam_error *error, int code, enum beam_phase phase, const char *host, const char *format, ...) {
  va_list arguments;
  if (!error)
    return code;
  char text[sizeof error->message];
  memset(error, 0, sizeof *error);
  error->code = code;
  error->phase = phase;
  snprintf(error->host, sizeof error->host, "%s", host ? host : "");
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  beam__show(error->message, sizeof error->message, text);
  return code;
}
