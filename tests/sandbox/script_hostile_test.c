/* Every script of tests/sandbox/hostile under limits, and without any (tests/sandbox/script_hostile.lua). */
#include "script_fixture.h"

int main(void) { return fixture_run("tests/sandbox/script_hostile.lua"); }
