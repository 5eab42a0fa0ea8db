#!/bin/sh
# The long forms, half an hour in all: forced drops, half-open connections, a restart under a thousand connections, a soak.
# usage: run.sh [seconds of the soak]
set -u
cd "$(dirname "$0")/../.." || exit 1
beamlua=${BEAMLUA:-build/beamlua}
drops=${DROPS:-1000}
status=0

run() {
  echo "== $*"
  "$@" || status=1
}

long() {
  run "$beamlua" tests/realtime/main.lua "$@"
}

for server in local_beam uvicorn; do
  for policy in report again; do
    long drops "$server" "$policy" "$drops"
  done
done
long half_open unread
run sh tests/realtime/half_open.sh "$beamlua" tests/realtime/main.lua half_open vanish
long restart 1000
long soak "${1:-600}" 2>/dev/null # it warns of every handler that dies, as it should
exit $status
