#!/bin/sh
# eventsource 4.1.1 (npm), Node 20.
# Guess: an id of any UTF-8 text goes back in Last-Event-ID, in UTF-8, as the HTML standard says.
# Seen: one character beyond U+00FF in an id, and no request leaves any more: each try to come back fails inside the client ("Cannot convert
# argument to a ByteString"), for ever, with readyState "connecting" as in any outage.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts eventsource@4.1.1 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import http from "node:http";
import { EventSource } from "eventsource";
for (const id of ["7", "é", "日"]) {
  let requests = 0;
  const server = http.createServer((request, response) => {
    requests++;
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(`retry: 20\n\nid: ${id}\ndata: x\n\n`);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const source = new EventSource(`http://127.0.0.1:${server.address().port}`);
  let errors = 0;
  await new Promise((resolve) => (source.onerror = () => ++errors === 6 && resolve()));
  console.log(`id ${id}: came back: ${requests > 1}, given up: ${source.readyState === 2}`);
  source.close();
  server.close();
}
process.exit(0);
END
timeout 30 node program.mjs | tee seen
printf 'id %s, given up: false\n' '7: came back: true' 'é: came back: true' '日: came back: false' | cmp - seen
