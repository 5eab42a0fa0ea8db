/* The guarded libraries beside Lua's own (tests/sandbox/script_libraries.lua). */
#include "script_fixture.h"

int main(void) { return fixture_run("tests/sandbox/script_libraries.lua"); }
