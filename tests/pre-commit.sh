#!/bin/sh
# The lint of what is staged; `make hooks` makes git run it before each commit.
set -u
cd "$(git rev-parse --show-toplevel)" || exit 1
staged() { git diff --cached --name-only --diff-filter=d -- "$@"; }
status=0
c_files=$(staged '*.c' '*.h')
lua_files=$(staged '*.lua')
# shellcheck disable=SC2086
[ -z "$c_files" ] || clang-format --dry-run --Werror $c_files || status=1
# shellcheck disable=SC2086
[ -z "$lua_files" ] || luacheck --quiet --no-color $lua_files || status=1
lua5.4 tests/lint_rooms.lua || status=1
[ "$status" -eq 0 ] || echo "pre-commit: mend this, or commit with --no-verify" >&2
exit $status
