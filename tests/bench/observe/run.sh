#!/bin/sh
# What looking on costs: instructions of a call, a request over a connection, a message out and in, by callgrind, with nothing set and with
# figures or spans; BASELINE=/path: beside another checkout, built, with nothing set.   usage: run.sh (make bench-observe)
set -eu
cd "$(dirname "$0")/../../.."
. tests/hosts/local_beam.sh
BEAM_SERVE_TOKEN=observe local_beam --quiet
export BEAM_GATEWAY_URL="$url" BEAM_TOKEN=observe COLLECTOR=http://127.0.0.1:1
program=$PWD/tests/bench/observe/program.lua

instructions() { # ROOT KIND COUNT WATCH
  (cd "$1" && LUA_PATH="lua/?.lua;lua/?/init.lua;;" LUA_CPATH="build/lua/5.4/?.so;;" \
    valgrind --tool=callgrind --callgrind-out-file=/dev/null lua5.4 "$program" "$2" "$3" "$4" 2>&1) | sed -n 's/.*Collected : //p'
}

# Of one, without what a program needs to begin and to end; the least of two, as an event loop that waits more often does more.
each() { # ROOT KIND WATCH
  least=
  for _ in 1 2; do
    few=$(instructions "$1" "$2" 50 "$3")
    many=$(instructions "$1" "$2" 250 "$3")
    one=$(((many - few) / 200))
    if [ -z "$least" ] || [ "$one" -lt "$least" ]; then least=$one; fi
  done
  echo "$least"
}

printf '%-10s %12s %12s %12s %12s %12s %12s\n' instructions baseline off metrics unsampled spans otlp
for kind in call request send; do
  printf '%-10s' "$kind"
  if [ -n "${BASELINE:-}" ]; then printf ' %12s' "$(each "$BASELINE" "$kind" off)"; else printf ' %12s' -; fi
  for watch in off metrics unsampled spans otlp; do printf ' %12s' "$(each . "$kind" "$watch")"; done
  echo
done
