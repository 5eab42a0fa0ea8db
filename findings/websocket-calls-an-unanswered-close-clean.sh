#!/bin/sh
# websocket 1.0.35 (npm): its w3cwebsocket, Node 20.
# Guess: after close() the client waits for the server's close frame, for a while, and calls the end unclean if none comes.
# Seen: it waits for nothing: onclose with 1000 and wasClean at once, and TCP is ended, though the server sent no close frame. What the server was
# about to answer is lost, and nothing says that it has read what was sent before.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts websocket@1.0.35 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import { createHash } from "node:crypto";
import net from "node:net";
import websocket from "websocket";
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const opcodes = [];
const server = net.createServer((socket) => {
  socket.once("data", (request) => {
    const accept = createHash("sha1").update(/sec-websocket-key: (.*)\r/i.exec(request)[1] + GUID).digest("base64");
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
    socket.on("data", (frame) => opcodes.push(frame[0] & 15)); // and never an answer
  });
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const client = new websocket.w3cwebsocket(`ws://127.0.0.1:${server.address().port}`);
let asked;
client.onopen = () => {
  asked = performance.now();
  client.close(1000);
};
const event = await new Promise((resolve) => (client.onclose = resolve));
console.log(`code ${event.code}, clean: ${event.wasClean}, within a second: ${performance.now() - asked < 1000}`);
process.exit(0);
END
timeout 30 node program.mjs | tee seen
echo 'code 1000, clean: true, within a second: true' | cmp - seen
