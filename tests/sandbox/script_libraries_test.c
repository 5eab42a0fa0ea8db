/* The guarded libraries beside Lua's own (tests/sandbox/script_libraries.lua). */
#include "script_fixture.h"

/* Lua 5.5 asks the allocator whether a string can be too large. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "allocator_may_return_null=1"; }

int main(void) { return fixture_run("tests/sandbox/script_libraries.lua"); }
