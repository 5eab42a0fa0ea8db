#!/bin/sh
# json-stream 1.0.0, beside stream-json 3.8.0 (npm), Node 20.
# Guess: of lines of JSON each is handed on once, when its line end has come, wherever the network cuts the stream.
# Seen: what came is read at the end of every chunk as well, and stays in the buffer: a value whose line end comes with the next chunk is handed on twice, a
# number that is cut is two numbers (12 and 1234). 0, false, null and "" are never handed on. Nothing tells of any of it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts json-stream@1.0.0 stream-json@3.8.0 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import { Readable } from "node:stream";
import jsonStream from "json-stream";
import jsonlParser from "stream-json/jsonl/parser.js";
const readers = {
  "json-stream": async (source) => source.pipe(jsonStream()).toArray(),
  "stream-json": async (source) => (await source.pipe(jsonlParser.asStream()).toArray()).map(({ value }) => value),
};
const streams = [['{"id":1}\n{"id":2}\n'], ['{"id":1}', '\n{"id":2}\n'], ["12", "34\n"], ["0\n", "false\n", "1\n"]];
for (const [name, read] of Object.entries(readers))
  for (const chunks of streams) {
    const values = await read(Readable.from(chunks.map((chunk) => Buffer.from(chunk)), { objectMode: false }));
    console.log(`${name} reads ${chunks.map((chunk) => JSON.stringify(chunk)).join(" + ")} as ${values.map((value) => JSON.stringify(value)).join(" ")}`);
  }
END
timeout 30 node program.mjs | tee seen
cat >wanted <<'END'
json-stream reads "{\"id\":1}\n{\"id\":2}\n" as {"id":1} {"id":2}
json-stream reads "{\"id\":1}" + "\n{\"id\":2}\n" as {"id":1} {"id":1} {"id":2}
json-stream reads "12" + "34\n" as 12 1234
json-stream reads "0\n" + "false\n" + "1\n" as 1
stream-json reads "{\"id\":1}\n{\"id\":2}\n" as {"id":1} {"id":2}
stream-json reads "{\"id\":1}" + "\n{\"id\":2}\n" as {"id":1} {"id":2}
stream-json reads "12" + "34\n" as 1234
stream-json reads "0\n" + "false\n" + "1\n" as 0 false 1
END
cmp wanted seen
