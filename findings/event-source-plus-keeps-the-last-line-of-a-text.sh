#!/bin/sh
# event-source-plus 0.1.15 (npm), Node 20.
# Guess: the data lines of one event are joined by line feeds, as the HTML standard says, and one blank after the colon is not part of them.
# Seen: each line replaces the one before it, so that of a text of three lines the last is handed on, and blanks at both ends of it are gone.
# Whoever streams a Markdown answer or source code as data lines loses all but its end, without an error.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts event-source-plus@0.1.15 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import http from "node:http";
import { EventSourcePlus } from "event-source-plus";
const server = http.createServer((request, response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write("data: if x:\ndata:   return\ndata: end\n\ndata:   indented\n\n");
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const seen = [];
await new Promise((resolve) => {
  const onMessage = (message) => seen.push(message.data) === 2 && resolve();
  new EventSourcePlus(`http://127.0.0.1:${server.address().port}`).listen({ onMessage });
});
console.log(JSON.stringify(seen));
process.exit(0);
END
timeout 30 node program.mjs | tee seen
echo '["end","indented"]' | cmp - seen
