#!/bin/sh
# The game of scripts/love, in a window that nobody sees: two players in one garden, each of whom sees and hears the other. The picture it
# takes of itself is left in build/love.png.
set -u
cd "$(dirname "$0")/../.." || exit 1
python=${BEAM_TEST_PYTHON:-/usr/bin/python3}
folder=$(mktemp -d)
first=
other=
trap '[ -z "$first$other" ] || kill $first $other 2>/dev/null; rm -rf "$folder"' EXIT
port=$("$python" tests/servers/ports.py)
export XDG_DATA_HOME="$folder" ALSOFT_DRIVERS=null

play() {
  timeout 120 xvfb-run -a -s "-screen 0 1024x700x24" love scripts/love --port "$port" "$@"
}

wait_for_garden() {
  for _ in $(seq 100); do
    "$python" -c "import socket; socket.create_connection(('127.0.0.1', $port), 1)" 2>/dev/null && return
    sleep 0.1
  done
}

number=0
check() {
  number=$((number + 1))
  what=$1
  shift
  if "$@" >/dev/null 2>&1; then echo "ok $number - $what"; else
    echo "not ok $number - $what"
    sed 's/^/# /' "$folder/first" "$folder/second" "$folder/alone"
  fi
}

echo 1..9
# The first has the local Beam in it: it stays longer.
visit() {
  play --name first --play "$1" --picture "$folder/love.png" >"$folder/first" 2>&1 &
  first=$!
  wait_for_garden
  play --name second --play "$2" >"$folder/second" 2>&1
  second_status=$?
  wait "$first"
  first_status=$?
  first=
}
# On a busy machine a frame takes seconds, for it is drawn by the processor: then they stay longer.
visit 10 6
whole="state open  players 5  lines 6"
grep -q "$whole" "$folder/first" && grep -q "$whole" "$folder/second" || visit 60 36
mkdir -p build && cp "$folder/love.png" build/love.png 2>/dev/null

# Beside a local Beam that has no garden (whatever else listens at its usual port will do), and told no port.
HOME="$folder" build/beamlua serve --port 1994 --quiet >"$folder/other" 2>&1 &
other=$!
sleep 1
alone() {
  timeout 120 xvfb-run -a -s "-screen 0 1024x700x24" love scripts/love --name alone --play "$1" >"$folder/alone" 2>&1
}
alone 4
grep -q "players 4" "$folder/alone" || alone 40
kill "$other" 2>/dev/null
other=

check "beside a local Beam of somebody else's it has one of its own" grep -q "state open  players 4" "$folder/alone"
check "both end well" [ "$first_status$second_status" = 00 ]
check "the first sees the second and the three who live there" grep -q "state open  players 5" "$folder/first"
check "so does the second" grep -q "state open  players 5" "$folder/second"
check "the first hears the second" grep -q "lines 6" "$folder/first"
check "and the second the first" grep -q "lines 6" "$folder/second"
check "no step takes a frame" awk '/beam.step/ { if ($7 + 0 > 16) bad = 1; seen = 1 } END { exit bad || !seen }' "$folder/first"
check "the picture is one" sh -c 'head -c 24 "$1" | od -An -tx1 | tr -d " \n" | grep -q "^89504e470d0a1a0a0000000d49484452000003c000000258$"' sh "$folder/love.png"
check "of something" [ "$(wc -c <"$folder/love.png")" -gt 30000 ]
