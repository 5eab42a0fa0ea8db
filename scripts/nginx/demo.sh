#!/bin/sh
# The local Beam with nginx before it, and a page to try both: no account, no network. Ends with Ctrl-C.
set -eu
cd "$(dirname "$0")/../.."

folder=$(mktemp -d)
beam= nginx=
finish() {
  status=$?
  trap - EXIT INT TERM
  for server in $nginx $beam; do kill "$server" 2>/dev/null && wait "$server" 2>/dev/null || true; done
  rm -rf "$folder"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

BEAM_TOKEN=demo-$(od -An -N8 -tx1 /dev/urandom | tr -d ' ')
export BEAM_TOKEN
: >"$folder/out"
BEAM_SERVE_TOKEN=$BEAM_TOKEN build/beamlua serve --port 0 --quiet >"$folder/out" &
beam=$!
until BEAM_GATEWAY_URL=$(sed -n 's|^local Beam at \(http://[^ ]*\) .*|\1|p' "$folder/out") && [ -n "$BEAM_GATEWAY_URL" ]; do
  kill -0 "$beam" || exit 1
  sleep 0.05
done
export BEAM_GATEWAY_URL

echo "local Beam at $BEAM_GATEWAY_URL; try http://127.0.0.1:8080/"
"$(command -v nginx || echo /usr/sbin/nginx)" -p "$PWD/scripts/nginx" -c nginx.conf -g 'daemon off;' &
nginx=$!
wait "$nginx"
