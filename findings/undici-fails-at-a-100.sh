#!/bin/sh
# undici 7.30.2, beside axios 1.21.1 and got 14.6.6 (npm), Node 20.
# Guess: interim answers (1xx) are read and passed over, also where none was asked for, as RFC 9110 (15.2) wants of a client: 102, 103, and 100 from a server that
# says it to every request with a body.
# Seen: 102 and 103 are passed over; 100 is an error ("bad response", UND_ERR_SOCKET) and the end of the connection, of fetch and of request. Like any
# error of the socket it says nothing of a server that has read the request and runs it. axios and got take it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts undici@7.30.2 axios@1.21.1 got@14.6.6 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import net from "node:net";
import axios from "axios";
import got from "got";
import { fetch, request } from "undici";

const INTERIM = { 100: "Continue", 102: "Processing", 103: "Early Hints" };
let runs = 0;
const server = net.createServer((socket) => {
  let text = "";
  socket.on("error", () => {});
  socket.on("data", (piece) => {
    text += piece;
    if (!text.endsWith("{}")) return;
    const status = text.split(/[ /]+/)[1];
    text = "";
    runs++;
    socket.write(`HTTP/1.1 ${status} ${INTERIM[status]}\r\n\r\n`);
    setTimeout(() => socket.write("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\ndone"), 100);
  });
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));

const ways = {
  fetch: async (url) => (await fetch(url, { method: "POST", body: "{}" })).text(),
  request: async (url) => (await request(url, { method: "POST", body: "{}" })).body.text(),
  axios: async (url) => (await axios.post(url, "{}")).data,
  got: async (url) => (await got.post(url, { body: "{}", retry: { limit: 0 } })).body,
};
for (const status of [102, 103, 100]) {
  for (const [name, way] of Object.entries(ways)) {
    const told = await way(`http://127.0.0.1:${server.address().port}/${status}`).catch((error) => {
      const cause = error.cause ?? error;
      return `${cause.message} (${cause.code})`;
    });
    console.log(`${status}: ${name}: ${told}`);
  }
}
console.log(`the server has read ${runs}`);
process.exit(0);
END
timeout 60 node program.mjs | tee seen
{
  for status in 102 103; do for name in fetch request axios got; do echo "$status: $name: done"; done; done
  printf '%s\n' '100: fetch: bad response (UND_ERR_SOCKET)' '100: request: bad response (UND_ERR_SOCKET)' '100: axios: done' '100: got: done' 'the server has read 12'
} | cmp - seen
