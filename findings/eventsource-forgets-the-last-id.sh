#!/bin/sh
# eventsource 4.1.1 with eventsource-parser 3.1.1 (npm), Node 20.
# Guess: an event without an id has the last one that came as its lastEventId, and a block that has only an id moves it (a server's mark
# of how far the reader is), as the HTML standard says.
# Seen: lastEventId is empty for an event without an id of its own, and an id alone counts for nothing: the next connection asks without it.
# Who stores lastEventId to go on after a restart goes on from the beginning.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts eventsource@4.1.1 eventsource-parser@3.1.1 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import http from "node:http";
import { EventSource } from "eventsource";
for (const text of ["id: 7\ndata: a\n\ndata: b\n\n", "id: 7\n\ndata: c\n\n"]) {
  const asked = [], seen = [];
  const server = http.createServer((request, response) => {
    asked.push(request.headers["last-event-id"] ?? "none");
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end("retry: 20\n\n" + text);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const source = new EventSource(`http://127.0.0.1:${server.address().port}`);
  source.onmessage = (event) => asked.length === 1 && seen.push(`${event.data} "${event.lastEventId}"`);
  await new Promise((resolve) => (source.onopen = () => asked.length > 1 && resolve()));
  source.close();
  console.log(`${seen.join(", ")}; asked with ${asked.slice(0, 2).join(", then ")}`);
}
process.exit(0);
END
timeout 30 node program.mjs | tee seen
printf '%s\n' 'a "7", b ""; asked with none, then 7' 'c ""; asked with none, then none' | cmp - seen
