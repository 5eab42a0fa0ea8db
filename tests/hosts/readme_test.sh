#!/bin/sh
# The README's program, run against the local Beam, prints what the README says.
set -u
folder=$(mktemp -d)
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; rm -rf "$folder"' EXIT
awk '/^```lua/ { inside = 1; next } /^```/ { if (inside) exit } inside' README.md >"$folder/program.lua"
awk '/^```/ { fence++; next } fence == 3' README.md >"$folder/expected"
: >"$folder/out"
build/beamlua serve --port 0 --token readme --quiet >"$folder/out" &
server=$!
tries=100
until url=$(sed -n 's|^local Beam at \(http://[^ ]*\) .*|\1|p' "$folder/out") && [ -n "$url" ]; do
  tries=$((tries - 1))
  [ "$tries" -gt 0 ] || { echo "not ok 1 - the local Beam starts"; exit 1; }
  sleep 0.05
done
BEAM_GATEWAY_URL=$url BEAM_TOKEN=readme build/beamlua "$folder/program.lua" 2>&1 |
  sed "s|$url|http://127.0.0.1:1994|" >"$folder/printed"
if [ -s "$folder/expected" ] && diff "$folder/expected" "$folder/printed"; then
  echo "ok 1 - the README's program prints what the README says"
else
  echo "not ok 1 - the README's program prints what the README says"
  exit 1
fi
