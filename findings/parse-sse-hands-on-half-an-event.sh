#!/bin/sh
# parse-sse 0.1.0, beside eventsource-parser 4.1.3 (npm), Node 20.
# Guess: an event counts when its empty line has come; what stands before the end of the stream without one is dropped, as the HTML standard says
# in as many words: a server or a proxy that stopped in the middle of it.
# Seen: the half is handed on like a whole event: a number that was cut ("12" of "1234") is still a number.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts parse-sse@0.1.0 eventsource-parser@4.1.3 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import { parseServerSentEvents } from "parse-sse";
import { EventSourceParserStream } from "eventsource-parser/stream";
const whole = "data: 1000\n\ndata: 1234\n\n";
for (const length of [whole.length, whole.length - 1, whole.length - 4]) {
  const seen = [], peer = [];
  for await (const event of parseServerSentEvents(new Response(whole.slice(0, length)))) seen.push(event.data);
  for await (const event of new Response(whole.slice(0, length)).body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream()))
    peer.push(event.data);
  console.log(`${whole.length - length} bytes are missing: parse-sse ${seen}; eventsource-parser ${peer}`);
}
END
timeout 30 node program.mjs | tee seen
printf '%s bytes are missing: parse-sse 1000,%s; eventsource-parser %s\n' 0 1234 1000,1234 1 1234 1000 4 12 1000 | cmp - seen
