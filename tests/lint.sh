#!/bin/sh
# Format and static checks of C, Lua and shell; everything found is an error.
set -u
cd "$(dirname "$0")/.." || exit 1
status=0

c_files=$(git ls-files '*.c' '*.h')
lua_files=$(git ls-files '*.lua')

check() {
  printf '%-6s %s\n' LINT "$1"
  shift
  "$@" || { status=1; echo "lint: $1 found something" >&2; }
}

check clang-format clang-format --dry-run --Werror $c_files
check cppcheck cppcheck --quiet --std=c11 --language=c --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
  --suppress=missingIncludeSystem -D__linux__ -D__GNUC__ -Icore -Ilua/binding -Ilua -Ilua/embed $(git ls-files 'core/*.c' 'lua/*.c')
check locale sh tests/locale_lint.sh
check luacheck luacheck --quiet --no-color $lua_files
check "variables of loops" lua5.4 tests/lint_loop_variables.lua $lua_files
check rooms lua5.4 tests/lint_rooms.lua
exit $status
