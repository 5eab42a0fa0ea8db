/* What sandbox.script promises (lua/sandbox/meta/script.lua), as tests/sandbox/script_test.lua asks it. */
#include "script_fixture.h"

int main(void) { return fixture_run("tests/sandbox/script_test.lua"); }
