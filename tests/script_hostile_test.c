/* Every script of tests/hostile under limits, and without any (tests/script_hostile.lua). */
#include "script_fixture.h"

int main(void) { return fixture_run("tests/script_hostile.lua"); }
