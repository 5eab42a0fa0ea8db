#!/bin/sh
# @azure/core-sse 2.3.0 (npm), Node 20.
# Guess: the type of an event is its own: a block without data is no event, and its type is forgotten at its empty line. So servers keep a stream
# alive with "event: ping" alone.
# Seen: the block itself is passed over, but its type is given to the next event, whatever that is: after a ping, a message is a ping.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts @azure/core-sse@2.3.0 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import { createSseStream } from "@azure/core-sse";
const seen = [];
for await (const event of createSseStream(new Response("data: 1\n\nevent: ping\n\ndata: 2\n\ndata: 3\n\n").body))
  seen.push(`${event.data} ${event.event || "message"}`);
console.log(seen.join(", "));
END
timeout 30 node program.mjs | tee seen
echo '1 message, 2 ping, 3 message' | cmp - seen
