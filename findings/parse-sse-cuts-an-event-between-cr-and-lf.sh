#!/bin/sh
# parse-sse 0.1.0, extended-eventsource 2.1.0 (npm), Node 20.
# Guess: CR LF is one line end wherever the network cuts the stream. (sse-starlette, FastAPI's usual source of events, ends its lines so.)
# Seen: with a cut between CR and LF the LF is an empty line, which ends the event: of a text of two lines become two events, of a JSON object
# two halves, and a type goes off without its data. It depends on nothing but where a packet ends, so it comes once in many thousands.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts parse-sse@0.1.0 extended-eventsource@2.1.0 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { EventSource } from "extended-eventsource";
import { parseServerSentEvents } from "parse-sse";
const text = 'event: item\r\ndata: {"a": 1,\r\ndata: "b": 2}\r\n\r\n';
const cuts = { whole: [text.length], "in a field": [20], "in the middle of CR LF": [text.indexOf("\n", 15)] };
const server = http.createServer(async (request, response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const [cut] = cuts[decodeURIComponent(request.url.slice(1))];
  response.write(text.slice(0, cut));
  await sleep(200);
  response.end(text.slice(cut));
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
for (const name of Object.keys(cuts)) {
  const url = `http://127.0.0.1:${server.address().port}/${encodeURIComponent(name)}`;
  const parsed = [], extended = [];
  for await (const event of parseServerSentEvents(await fetch(url))) parsed.push(`${event.type} ${event.data.replace("\n", " ")}`);
  const source = new EventSource(url, { disableLogger: true });
  const tell = (event) => extended.push(`${event.type} ${event.data.replace("\n", " ")}`);
  for (const type of ["item", "message"]) source.addEventListener(type, tell);
  await new Promise((resolve) => source.addEventListener("error", resolve)); // the end of the stream
  source.close();
  console.log(`cut: ${name}\n  parse-sse: ${parsed.join(", ")}\n  extended-eventsource: ${extended.join(", ")}`);
}
process.exit(0);
END
timeout 30 node program.mjs | tee seen
whole='item {"a": 1, "b": 2}'
halves='item {"a": 1,, message "b": 2}'
printf 'cut: %s\n  parse-sse: %s\n  extended-eventsource: %s\n' whole "$whole" "$whole" 'in a field' "$whole" "$whole" \
  'in the middle of CR LF' "$halves" "$halves" | cmp - seen
