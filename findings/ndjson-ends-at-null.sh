#!/bin/sh
# ndjson 2.0.0, jsonlines 0.1.1, beside it-ndjson 2.0.0 (npm), Node 20.
# Guess: a line is any JSON value: `null`, what a Python generator writes for None, is one, and the lines after it come as well.
# Seen: null is a stream's own sign of its end: both stop there, and fail with "stream.push() after EOF" when more follows, which is lost together
# with the lines before it that had not been taken yet. As the last line it is not told at all. (0, false and "" are handed on.)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts ndjson@2.0.0 jsonlines@0.1.1 it-ndjson@2.0.0 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import { Readable } from "node:stream";
import { parse } from "it-ndjson";
import jsonlines from "jsonlines";
import ndjson from "ndjson";
const clients = { ndjson: (source) => source.pipe(ndjson.parse()), jsonlines: (source) => source.pipe(jsonlines.parse()), "it-ndjson": parse };
for (const [name, read] of Object.entries(clients))
  for (const text of ["1\n0\nfalse\n2\n", "1\nnull\n2\n", "1\nnull\n"]) {
    const seen = [];
    try {
      for await (const value of read(Readable.from([Buffer.from(text)]))) seen.push(JSON.stringify(value));
    } catch (error) {
      seen.push(error.message);
    }
    console.log(`${name} reads ${text.trim().split("\n")} as ${seen}`);
  }
END
timeout 30 node program.mjs | tee seen
for name in ndjson jsonlines; do
  printf "$name reads %s\n" '1,0,false,2 as 1,0,false,2' '1,null,2 as stream.push() after EOF' '1,null as 1'
done >wanted
printf 'it-ndjson reads %s\n' '1,0,false,2 as 1,0,false,2' '1,null,2 as 1,null,2' '1,null as 1,null' >>wanted
cmp wanted seen
