#!/bin/sh
# The demo: starts the local Beam on a free port, runs two scripts against it, and ends it. No account, no network.
set -eu

beamlua=${BEAMLUA:-build/beamlua}
folder=$(mktemp -d)
server=

finish() {
  status=$?
  trap - EXIT INT TERM
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$folder"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

BEAM_TOKEN=demo-$(od -An -N8 -tx1 /dev/urandom | tr -d ' ')
export BEAM_TOKEN
: >"$folder/out"
BEAM_SERVE_TOKEN=$BEAM_TOKEN "$beamlua" serve --port 0 >"$folder/out" 2>"$folder/log" &
server=$!

# The first line of its output says where it listens: "local Beam at http://127.0.0.1:PORT (…"
tries=600
until BEAM_GATEWAY_URL=$(sed -n 's|^local Beam at \(http://[^ ]*\) .*|\1|p' "$folder/out") && [ -n "$BEAM_GATEWAY_URL" ]; do
  tries=$((tries - 1))
  if [ "$tries" -eq 0 ] || ! kill -0 "$server" 2>/dev/null; then
    echo "demo: the local Beam did not start:" >&2
    cat "$folder/log" >&2
    exit 1
  fi
  sleep 0.05
done
export BEAM_GATEWAY_URL
echo "local Beam at $BEAM_GATEWAY_URL"

for script in echo call; do
  echo "\$ beamlua scripts/$script.lua"
  "$beamlua" "scripts/$script.lua" || { cat "$folder/log" >&2; exit 1; }
done
