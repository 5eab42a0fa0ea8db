#!/bin/sh
# Which lines the tests reach: the C tests by gcov, the specs on Lua 5.4 by tests/coverage.lua.   usage: coverage.sh [pattern]
set -u
cd "$(dirname "$0")/.." || exit 1
pattern=${1:-}
root=$PWD
rm -rf build/coverage && mkdir -p build/coverage/lua
flags="$(pkg-config --cflags libuv libwebsockets libcurl openssl zlib) -D_GNU_SOURCE -DNDEBUG -Icore -Itests -std=c11 -g -O0 --coverage"
libraries="$(pkg-config --libs libuv libwebsockets libcurl openssl zlib) -lpthread"

# The core once, then each test on top of it; the counts of all tests add up beside the objects.
cd build/coverage || exit 1
for source in $(cd "$root" && find core -name '*.c'); do
  mkdir -p "${source%/*}"
  # shellcheck disable=SC2086
  (cd "$root" && ${CC:-cc} $flags -c -o "build/coverage/${source%.c}.o" "$source") || exit 1
done
cd "$root" || exit 1
objects=$(find build/coverage/core -name '*.o')
for source in $(find tests/core -name '*_test.c' | grep -e "$pattern"); do
  program=build/coverage/$(basename "${source%.c}")
  # shellcheck disable=SC2086
  ${CC:-cc} $flags -o "$program" "$source" $objects $libraries || exit 1
  BEAM_TEST_PYTHON=${PYTHON:-/usr/bin/python3} timeout 300 "$program" >/dev/null 2>&1 </dev/null || echo "coverage: $program failed" >&2
done
find build/coverage/core -name '*.gcda' -exec gcov -n -r {} + 2>/dev/null | awk '
  /^File .core\// { file = $2; gsub(/\x27/, "", file); split(file, part, "/"); room = part[1] "/" part[2] }
  /^Lines executed/ && file { split($2, a, ":"); share = a[2] + 0; total = $4 + 0; hit[room] += share * total / 100; all[room] += total; file = "" }
  END { for (room in all) { printf "  %-24s %5.1f %% of %d lines\n", room, 100 * hit[room] / all[room], all[room]; h += hit[room]; t += all[room] }
        if (t) printf "C: %.1f %% of %d lines\n", 100 * h / t, t }'

for spec in $(find spec -name '*_spec.lua' -not -path 'spec/beamlua/*' | grep -e "$pattern"); do
  LUA_PATH="lua/?.lua;lua/?/init.lua;spec/?.lua;;" LUA_CPATH="build/lua/5.4/?.so;;" BEAM_TEST_PYTHON=${PYTHON:-/usr/bin/python3} \
    COVERAGE=build/coverage/lua timeout 200 lua5.4 -e 'dofile "tests/coverage.lua"' "$(command -v busted)" -o TAP "$spec" >/dev/null 2>&1 </dev/null ||
    echo "coverage: $spec failed" >&2
done
lua5.4 tests/coverage.lua tell
