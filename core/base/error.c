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

int beam__error(beam_error *error, int code, enum beam_phase phase, const char *host, const char *format, ...) {
  va_list arguments;
  if (!error)
    return code;
  memset(error, 0, sizeof *error);
  error->code = code;
  error->phase = phase;
  snprintf(error->host, sizeof error->host, "%s", host ? host : "");
  va_start(arguments, format);
  vsnprintf(error->message, sizeof error->message, format, arguments);
  va_end(arguments);
  return code;
}
