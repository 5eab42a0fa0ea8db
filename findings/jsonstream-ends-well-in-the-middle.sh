#!/bin/sh
# JSONStream 1.3.5, json-stream 1.0.0, ndjson-readablestream 1.4.0, beside stream-json 3.8.0, @streamparser/json 0.0.26, oboe 2.1.7 (npm), Node 20.
# Guess: a text that ends in the middle of a value is no JSON: an array that is read item by item ends with an error where it breaks off, as JSON.parse
# ends on such a text, and so do lines of JSON whose last line is half a value.
# Seen: the first three end well: what had come whole is handed on, half of it is dropped, and "end" follows. An answer without a length, behind a server
# or a proxy that just ends it (HTTP/1.0, `Connection: close`), loses its rest so, and the program has counted all there was. The others fail.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts JSONStream@1.3.5 json-stream@1.0.0 ndjson-readablestream@1.4.0 stream-json@3.8.0 @streamparser/json@0.0.26 \
  oboe@2.1.7 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import { createServer } from "node:net";
import { get } from "node:http";
import { Readable } from "node:stream";
import { JSONParser } from "@streamparser/json";
import JSONStream from "JSONStream";
import jsonStream from "json-stream";
import readNDJSONStream from "ndjson-readablestream";
import oboe from "oboe";
import jsonlParser from "stream-json/jsonl/parser.js";
const bodies = { "/array": '[{"id":1},{"id":2},{"id":', "/lines": '{"id":1}\n{"id":2}\n{"id":' };
const server = createServer((socket) => socket.once("data", (request) => {
  const body = bodies[/^GET (\S+)/.exec(request)[1]];
  socket.end(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n${body}`);
}));
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = (path) => `http://127.0.0.1:${server.address().port}${path}`;
const body = (path) => new Promise((resolve) => get(url(path), resolve));
const read_by = async function* (parser, path) { // wrap: JSONStream's streams are of an older make
  const values = new Readable({ objectMode: true }).wrap(parser);
  parser.on("error", (error) => values.destroy(error));
  (await body(path)).pipe(parser);
  yield* values;
};
const readers = {
  "JSONStream, array": () => read_by(JSONStream.parse("*"), "/array"),
  "JSONStream, lines": () => read_by(JSONStream.parse(), "/lines"),
  "json-stream, lines": () => read_by(jsonStream(), "/lines"),
  "ndjson-readablestream, lines": async function* () { yield* readNDJSONStream((await fetch(url("/lines"))).body); },
  "stream-json, lines": () => read_by(jsonlParser.asStream(), "/lines"),
  "@streamparser/json, array": async function* () {
    const values = [], parser = new JSONParser({ paths: ["$.*"] });
    parser.onValue = ({ value }) => values.push(value);
    for await (const chunk of await body("/array")) parser.write(chunk);
    yield* values;
    if (!parser.isEnded) parser.end();
  },
  "oboe, array": async function* () {
    const values = [];
    const failure = await new Promise((resolve) => oboe(url("/array")).node("!.*", (value) => values.push(value)).done(() => resolve()).fail(resolve));
    yield* values;
    if (failure) throw failure.thrown;
  },
};
for (const [name, read] of Object.entries(readers)) {
  let count = 0, end = "the end";
  try {
    for await (const _ of read()) count += 1;
  } catch {
    end = "an error";
  }
  console.log(`${name}: ${count} items, ${end}`);
}
process.exit(0);
END
timeout 30 node program.mjs | tee seen
cat >wanted <<'END'
JSONStream, array: 2 items, the end
JSONStream, lines: 2 items, the end
json-stream, lines: 2 items, the end
ndjson-readablestream, lines: 2 items, the end
stream-json, lines: 2 items, an error
@streamparser/json, array: 2 items, an error
oboe, array: 2 items, an error
END
cmp wanted seen
