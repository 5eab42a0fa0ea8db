#!/bin/sh
# Inside a root, by portable_roots.sh: what runs from /opt/beam.
set -eu
cd /tmp
for library in libuv libwebsockets libcurl liblua; do
  ! find /usr/lib -name "$library*.so*" | grep -q . || { echo "$library is installed here: this proves nothing"; exit 1; }
done
/opt/beam/bin/beamlua serve --port 0 --tls --token carried >out 2>log &
server=$!
trap 'kill $server 2>/dev/null' EXIT
tries=100
until url=$(sed -n 's|^local Beam at \(https://[^ ]*\).*|\1|p' out) && [ -n "$url" ]; do
  tries=$((tries - 1))
  [ $tries -gt 0 ] || { cat out log; echo "the local Beam did not start"; exit 1; }
  sleep 0.1
done
cat >hello.lua <<'END'
local beam = require "beam"
local client = beam.client { gateway = arg[1], token = "carried", tls = { ca_file = arg[2] } }
assert(assert(client:call("multiply", { x = 12 })).result == 24)
local conn = assert(client:realtime("echo"))
assert(conn:request({ word = "hello" }, { timeout = 10 }).response.word == "hello")
conn:close()
print "a call over https and a connection over wss: well"
END
/opt/beam/bin/beamlua hello.lua "$url" "$HOME/.beam/serve.pem"
