#include "lua_parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  return lua_parser_try("tests/fuzz/lua/transformed.lua", data, size);
}
