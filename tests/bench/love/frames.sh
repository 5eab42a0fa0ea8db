#!/bin/sh
# Starts what tests/bench/love/frames measures against: a local Beam, a server that never answers, a name server that hangs.
set -eu
cd "$(dirname "$0")/../../.."
folder=$(mktemp -d)
trap 'kill $servers 2>/dev/null; rm -rf "$folder"' EXIT
servers=
cat >"$folder/app.lua" <<'END'
local app = require "beam.serve"
app.realtime("echo", function(text) return text end)
app.realtime("burst", function(_, context)
  local left = context.json().count
  return function()
    left = left - 1
    return left >= 0 and { text = ("x"):rep(20) } or nil
  end
end)
END
cat >"$folder/mute.py" <<'END'
import socket
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
taken = []
while True:
    taken.append(listener.accept())
END
build/beamlua serve "$folder/app.lua" --port 0 --no-token --quiet >"$folder/beam" 2>&1 & servers=$!
"${PYTHON:-/usr/bin/python3}" "$folder/mute.py" >"$folder/mute" & servers="$servers $!"
until grep -qs "local Beam at" "$folder/beam" && [ -s "$folder/mute" ]; do sleep 0.1; done
gateway=$(grep -o 'http://[0-9.:]*' "$folder/beam" | head -n 1)
${CC:-cc} -shared -fPIC -D_GNU_SOURCE -o "$folder/slow_dns.so" tests/bench/love/frames/slow_dns.c
ALSOFT_DRIVERS=null XDG_DATA_HOME="$folder" LD_PRELOAD="$folder/slow_dns.so" \
  xvfb-run -a -s "-screen 0 640x480x24" love tests/bench/love/frames "$gateway" "ws://127.0.0.1:$(cat "$folder/mute")/"
