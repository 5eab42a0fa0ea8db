#!/bin/sh
# fetch-event-stream 0.1.6 (npm), Node 20.
# Guess: one blank after the colon belongs to the syntax; what follows is the data. A model's tokens often begin with a blank (" world") or are
# nothing but one or a line feed.
# Seen: all blanks and tabs at the beginning are taken away, a lone blank becomes nothing, and an event of two empty data lines, which is a line
# feed, becomes an empty text. Tokens that are put together again are one word.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts fetch-event-stream@0.1.6 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import { events } from "fetch-event-stream";
const tokens = ["Hello", " ", " two", "\tworlds", "\n", "  end"];
const text = tokens.map((token) => token.split("\n").map((line) => `data: ${line}\n`).join("") + "\n").join("");
const seen = [];
for await (const event of events(new Response(text))) seen.push(event.data);
console.log(JSON.stringify(tokens.join("")), "is read as", JSON.stringify(seen.join("")));
END
timeout 30 node program.mjs | tee seen
printf '%s\n' '"Hello  two\tworlds\n  end" is read as "Hellotwoworldsend"' | cmp - seen
