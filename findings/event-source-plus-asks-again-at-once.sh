#!/bin/sh
# event-source-plus 0.1.15 (npm), Node 20.
# Guess: when a stream ends, the next request waits as long as the server's `retry:` says, a few seconds without one; 204 says to stay away.
# Seen: `retry:` is read and not used: after each stream that ended well the next request comes within 2 ms, without a bound, and a POST with
# its body as well. So a handler that answers and is done is asked again, hundreds of times a second when it is quick. 204 is an error that it
# tries again after.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts event-source-plus@0.1.15 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import http from "node:http";
import { EventSourcePlus } from "event-source-plus";
async function count(wanted, answer) {
  const bodies = [];
  const server = http.createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    if (bodies.push(body) === wanted) enough();
    answer(response, bodies.length);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  let enough;
  const asked = new Promise((resolve) => setTimeout(resolve, 5000) && (enough = resolve));
  const source = new EventSourcePlus(`http://127.0.0.1:${server.address().port}`, { method: "post", body: "input" });
  const listening = source.listen({ onMessage() {} });
  await asked;
  listening.abort();
  return bodies.filter((body) => body === "input").length >= wanted ? `${wanted} POSTs within 5 s` : "fewer";
}
const ended = await count(10, (response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.end("retry: 60000\ndata: done\n\n");
});
console.log(`after streams that ended with "retry: 60000": ${ended}`);
console.log(`after answers of 204: ${await count(3, (response) => response.writeHead(204).end())}`);
process.exit(0);
END
timeout 30 node program.mjs | tee seen
printf '%s\n' 'after streams that ended with "retry: 60000": 10 POSTs within 5 s' 'after answers of 204: 3 POSTs within 5 s' | cmp - seen
