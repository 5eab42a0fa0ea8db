#!/bin/sh
# @microsoft/fetch-event-source 2.0.1 (npm), Node 20.
# Guess: onmessage is called for events: blocks that have data. A comment that keeps the stream alive (": ping") is none.
# Seen: it is called for every empty line, with data "": after each comment, after an id or a retry alone. JSON.parse(event.data), which the
# first event passes, throws at the first keep-alive, and what a callback throws is taken for a failed connection: it is made anew.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts @microsoft/fetch-event-source@2.0.1 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import http from "node:http";
import { fetchEventSource } from "@microsoft/fetch-event-source";
globalThis.document = { hidden: false, addEventListener() {}, removeEventListener() {} };
globalThis.window = globalThis;
let requests = 0;
const server = http.createServer((request, response) => {
  requests++;
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.end('data: {"a":1}\n\n: ping\n\nretry: 10\n\n');
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${server.address().port}`;
const seen = [];
await fetchEventSource(url, { openWhenHidden: true, onmessage: (event) => seen.push(JSON.stringify(event.data)) });
console.log(`called ${seen.length} times: ${seen.join(" ")}`);
requests = 0;
const once = new AbortController();
await fetchEventSource(url, {
  openWhenHidden: true,
  signal: once.signal,
  onmessage: (event) => JSON.parse(event.data),
  onerror: (error) => (requests === 3 ? once.abort() : 10),
});
console.log(`requests: ${requests}`);
process.exit(0);
END
timeout 30 node program.mjs | tee seen
printf '%s\n' 'called 3 times: "{\"a\":1}" "" ""' 'requests: 3' | cmp - seen
