#!/bin/sh
# nodejs-websocket 1.7.2 (npm), ws 8.23.0 as the server, Node 20.
# Guess: a text is decoded when it is whole: a fragment may end inside a character (RFC 6455, 5.6, asks for UTF-8 of the message alone), and a server
# that cuts a long text into equal parts ends them so.
# Seen: each fragment is decoded on its own: the character at the seam becomes two or three replacement characters, and the message is handed on
# without an error, where a client must fail with 1007 on text that is none.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts nodejs-websocket@1.7.2 ws@8.23.0 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import websocket from "nodejs-websocket";
import { WebSocket, WebSocketServer } from "ws";
const text = Buffer.from('{"city": "Zürich"}');
const seam = text.indexOf("ü") + 1; // the first of its two bytes
const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
await new Promise((resolve) => server.on("listening", resolve));
server.on("connection", (socket) => {
  for (const cut of [seam - 1, seam]) {
    socket.send(text.subarray(0, cut), { binary: false, fin: false });
    socket.send(text.subarray(cut), { fin: true });
  }
});
const url = `ws://127.0.0.1:${server.address().port}`;
const both = (client, event) => new Promise((resolve) => {
  const seen = [];
  client.on(event, (message) => seen.push(`${message}`) === 2 && resolve(seen.join(", ")));
});
console.log(`ws: ${await both(new WebSocket(url), "message")}`);
console.log(`nodejs-websocket: ${await both(websocket.connect(url), "text")}`);
process.exit(0);
END
timeout 30 node program.mjs | tee seen
printf '%s: {"city": "Zürich"}, {"city": "Z%srich"}\n' ws ü nodejs-websocket �� | cmp - seen
