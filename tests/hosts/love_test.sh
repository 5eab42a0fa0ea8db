#!/bin/sh
# The game of scripts/love, in a window that nobody sees: two players in one garden, each of whom sees and hears the other. The picture it
# takes of itself is left in build/love.png.
set -u
cd "$(dirname "$0")/../.." || exit 1
folder=$(mktemp -d)
second=
trap '[ -z "$second" ] || kill "$second" 2>/dev/null; rm -rf "$folder"' EXIT
port=$("${BEAM_TEST_PYTHON:-/usr/bin/python3}" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export XDG_DATA_HOME="$folder" ALSOFT_DRIVERS=null

play() {
  timeout 60 xvfb-run -a -s "-screen 0 1024x700x24" love scripts/love --port "$port" "$@"
}

number=0
check() {
  number=$((number + 1))
  what=$1
  shift
  if "$@" >/dev/null 2>&1; then echo "ok $number - $what"; else
    echo "not ok $number - $what"
    sed 's/^/# /' "$folder/first" "$folder/second"
  fi
}

echo 1..7
play --name second --play 7 >"$folder/second" 2>&1 &
second=$!
play --name first --play 9 --picture "$folder/love.png" >"$folder/first" 2>&1
first_status=$?
wait "$second"
second_status=$?
second=
mkdir -p build && cp "$folder/love.png" build/love.png 2>/dev/null

check "both end well" [ "$first_status$second_status" = 00 ]
check "the first is connected, and sees the other and the three who live there" grep -q "state open  players 5" "$folder/first"
check "the first hears the second" grep -q "lines 6" "$folder/first"
check "and the second the first" grep -q "lines 6" "$folder/second"
check "no step takes a frame" awk '/beam.step/ { if ($7 + 0 > 16) bad = 1; seen = 1 } END { exit bad || !seen }' "$folder/first"
check "the picture is one" sh -c 'head -c 24 "$1" | od -An -tx1 | tr -d " \n" | grep -q "^89504e470d0a1a0a0000000d49484452000003c000000258$"' sh "$folder/love.png"
check "of something" [ "$(wc -c <"$folder/love.png")" -gt 30000 ]
