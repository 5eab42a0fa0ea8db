#!/bin/sh
# Runs every test: the C tests under the sanitizers, the specs on each Lua, the hosts. Each speaks TAP; the last line counts.
# usage: run.sh [pattern]   only what matches;   JOBS=1 one after the other (default: two for each processor, for much of a test is waiting)
set -u
cd "$(dirname "$0")/.." || exit 1
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
pattern=${1:-}

# What went wrong in a program, from its output.
explain() {
  grep -E -A 30 '^(not ok|# |ok .*# [Ss][Kk][Ii][Pp])' "$1/out" | grep -v '^ok ' | head -n 200
  [ "$status" -eq 124 ] && echo "# $name did not end within $limit s"
  echo "# exit status $status"
  tail -n 60 "$1/err"
}

# What this system has no packages for (tests/setup.sh), a part a line: its tests are not run, which is told; in CI it counts as a failure.
sh tests/setup.sh left-out >"$results/left-out"
tell_left_out() {
  bad=0
  while IFS="$tab" read -r part tests packages; do
    printf 'left out: %s (no %s)\n' "$part" "$packages"
    [ "${CI:-}" != true ] || bad=$((bad + 1))
  done <"$results/left-out"
  mkdir "$results/left_out"
  echo "0 $bad" >"$results/left_out/count"
}

tab=$(printf '\t')
is_left_out() {
  cut -f 2 "$results/left-out" | tr '|' '\n' | while read -r left_out; do
    case $1 in $left_out) echo "$left_out" ;; esac
  done | grep -q .
}

# One program: shows the tests that fail, counts; one that ends badly, hangs or tests nothing counts as a failure. Each worker comes to every
# program; the first one takes it.
run() {
  name=$1 limit=$2
  shift 2
  case $name in *"$pattern"*) ;; *) return ;; esac
  is_left_out "$name" && return
  here=$results/$(printf %s "$name" | tr -c '[:alnum:]' _)
  mkdir "$here" 2>/dev/null || return
  start=$(date +%s)
  timeout -k 10 "$limit" "$@" >"$here/out" 2>"$here/err" </dev/null
  status=$?
  ok=$(grep -c '^ok ' "$here/out")
  bad=$(grep -c '^not ok ' "$here/out")
  skipped=$(grep -ci '^ok .*# skip' "$here/out")
  ok=$((ok - skipped)) bad=$((bad + skipped))
  if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ] || [ $((ok + bad)) -eq 0 ]; then bad=$((bad + 1)); fi
  echo "$ok $bad" >"$here/count"
  {
    printf '%-6s %-38s %4d passed, %d failed  (%d s)\n' "$([ "$bad" -eq 0 ] && echo ok || echo FAILED)" "$name" "$ok" "$bad" \
      $(($(date +%s) - start))
    [ "$bad" -eq 0 ] || explain "$here"
  } >"$here/report"
  cat "$here/report"
}

export ASAN_OPTIONS="detect_leaks=1:abort_on_error=0" UBSAN_OPTIONS="print_stacktrace=1"
export LSAN_OPTIONS="print_suppressions=0"
export BEAM_TEST_PYTHON="${PYTHON:-/usr/bin/python3}"
unset MAKEFLAGS MAKELEVEL # a make that a test runs is none of ours
unset BEAM_TOKEN BEAM_CLIENT_ID BEAM_CLIENT_SECRET BEAM_GATEWAY_URL http_proxy https_proxy all_proxy no_proxy HTTPS_PROXY ALL_PROXY

luas="5.1 jit 5.3 5.4"
! command -v lua5.5 >/dev/null || luas="$luas 5.5" # Debian has it after 13

# What SANITIZE=1 has built is loaded by a Lua that knows nothing of it. Lua's own memory at its end is no leak of ours.
preload=
if [ -n "${SANITIZE:-}" ]; then
  preload="$(cc -print-file-name=libasan.so) $(cc -print-file-name=libubsan.so)"
  ASAN_OPTIONS=detect_leaks=0
fi

on_lua() {
  LUA_PATH="$PWD/lua/?.lua;$PWD/lua/?/init.lua;$PWD/spec/?.lua;;" LUA_CPATH="$PWD/build/lua/$1/?.so;;" LD_PRELOAD="$preload" \
    run "$(basename "$3" .lua) ($2)" 900 "$2" "$(command -v busted)" -o TAP "$3"
}

# The long ones first, so that at the end no worker waits for another.
every_test() {
  for host in $(find tests/hosts -name '*_test.sh' -o -name '*_test.py' | LC_ALL=C sort); do
    case $host in *.sh) program=sh ;; *) program=$BEAM_TEST_PYTHON ;; esac
    run "$(basename "$host")" 1800 "$program" "$host" # some compile, on a machine that may be busy
  done

  for spec in spec/beamlua/*_spec.lua; do # of the program, whatever Lua looks on
    on_lua 5.4 lua5.4 "$spec"
  done
  for lua in $luas; do
    case $lua in jit) program=luajit ;; *) program=lua$lua ;; esac
    for spec in $(find spec -name '*_spec.lua' -not -path 'spec/beamlua/*' | LC_ALL=C sort); do
      on_lua $lua $program "$spec"
    done
  done

  for source in $(find tests -name '*_test.c' | LC_ALL=C sort); do
    program=${source%.c}
    run "${program##*/}" 900 "build/$program"
  done
}

tell_left_out
worker=0
while [ "$worker" -lt "${JOBS:-$(($(nproc 2>/dev/null || echo 1) * 2))}" ]; do
  every_test &
  worker=$((worker + 1))
done
wait

cat "$results"/*/count 2>/dev/null | {
  passed=0 failed=0
  while read -r ok bad; do
    passed=$((passed + ok)) failed=$((failed + bad))
  done
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
