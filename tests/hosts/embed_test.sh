#!/bin/sh
# scripts/embed: built as a newcomer would, with the shared libraries, the archives and as C++, and run against the local Beam; what
# libbeamhost gives away.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/hosts/local_beam.sh
local_beam --token embedded --quiet
export BEAM_GATEWAY_URL="$url" BEAM_TOKEN=embedded
count=0 failed=0

# check NAME COMMAND…
check() {
  name=$1
  shift
  count=$((count + 1))
  if "$@" >"$folder/said" 2>&1; then
    echo "ok $count - $name"
  else
    failed=1
    echo "not ok $count - $name"
    sed 's/^/# /' "$folder/said"
  fi
}

strict="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror"
below="$(pkg-config --libs libuv libwebsockets libcurl openssl zlib) -lpthread -lm -ldl"
# shellcheck disable=SC2086 # lists of options
compile() { cc -std=c11 -D_GNU_SOURCE $strict -Icore -Ilua/embed "$@"; }
# shellcheck disable=SC2086
static() { compile scripts/embed/frame_loop.c -o "$folder/static" build/libbeamhost.a $below; }
header_as() { echo '#include <beamhost.h>' | cc -x "$@" $strict -fsyntax-only -Icore -Ilua/embed -; }

check "beamhost.h as C11" header_as c -std=c11
check "beamhost.h as C++17" header_as c++ -std=c++17
check "frame_loop.c with libbeamhost.so" \
  compile scripts/embed/frame_loop.c -o "$folder/shared" build/libbeamhost.so -Wl,-rpath,"$PWD/build"
check "frame_loop.c with libbeamhost.a" static
check "transport_only.c with libbeam.so" \
  compile scripts/embed/transport_only.c -o "$folder/transport" build/libbeam.so -Wl,-rpath,"$PWD/build"
for program in frame_loop transport_only; do
  check "$program.c has less than 100 lines" [ "$(wc -l <scripts/embed/$program.c)" -lt 100 ]
done

talks() {
  timeout 60 "$1" scripts/embed/connection.lua echo 60 >"$folder/talk"
  cat "$folder/talk"
  grep -q '^script   received {.*"count":1.*}$' "$folder/talk" && grep -q '^message  {.*"seen_at":' "$folder/talk" &&
    grep -q '^count    {"received":1}$' "$folder/talk" && tail -n 1 "$folder/talk" | grep -q '^closed .* with 1000'
}
check "it talks, shared" talks "$folder/shared"
check "it talks, static" talks "$folder/static"

# waits_for TEXT: in what the program has said so far
waits_for() {
  tries=600
  until grep -q "$1" "$folder/talk"; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || { cat "$folder/talk"; return 1; }
    sleep 0.05
  done
}
reloads() {
  cp scripts/embed/connection.lua "$folder/script.lua"
  : >"$folder/talk"
  timeout 60 "$folder/shared" "$folder/script.lua" echo 100000 >"$folder/talk" &
  program=$!
  waits_for '"count":1' || return 1
  echo 'return {' >"$folder/script.lua"
  pkill -HUP -P $program
  waits_for 'the old script goes on: .*script.lua:' || return 1
  sed 's/^return hooks/function hooks.tick() beam.emit("taken over", hooks.count()) beam.close() hooks.tick = nil end\nreturn hooks/' \
    scripts/embed/connection.lua >"$folder/script.lua"
  pkill -HUP -P $program
  waits_for 'script   taken over {"received":1}' || return 1
  wait $program
}
check "SIGHUP: a broken script leaves the old one, another takes its count over" reloads

transports() { timeout 60 "$folder/transport" "ws${url#http}/asgi/echo" '"hi"' | grep -qx '{"response":"hi"}'; }
check "transport_only gets its answer" transports
refused() { ! BEAM_TOKEN=wrong timeout 60 "$folder/transport" "ws${url#http}/asgi/echo" 2>"$folder/talk" && grep -q 401 "$folder/talk"; }
check "and is told of a wrong token" refused

gives_away() { nm "$@" --defined-only | awk 'NF == 3 { print $3 }' >"$folder/names" && [ -s "$folder/names" ] && ! grep -v '^beam_' "$folder/names"; }
check "libbeamhost.so gives away beam_ alone" gives_away -D build/libbeamhost.so
check "libbeamhost.a gives away beam_ alone" gives_away -g build/libbeamhost.a
needs_no_lua() { ! readelf -d build/libbeamhost.so | grep -i 'NEEDED.*lua'; }
check "libbeamhost.so needs no Lua" needs_no_lua
has_soname() { readelf -d build/libbeamhost.so | grep -q 'SONAME.*\[libbeamhost.so.0\]'; }
check "its soname is libbeamhost.so.0" has_soname

echo "1..$count"
exit $failed
