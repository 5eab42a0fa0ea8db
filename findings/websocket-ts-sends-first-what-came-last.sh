#!/bin/sh
# websocket-ts 2.3.0 over ws 8.23.0 (npm), Node 20.
# Guess: with a buffer, what is sent while there is no connection goes out when there is one, in the order in which it was sent: before what is sent
# later.
# Seen: it goes out after the listeners of "open" have run, so that what they send overtakes it, on the first connection and after each loss. A
# listener that asks for the newest state has its question answered before the changes that wait were made.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts websocket-ts@2.3.0 ws@8.23.0 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import websocket from "websocket-ts";
import { WebSocket, WebSocketServer } from "ws";
globalThis.WebSocket = WebSocket;
const { ArrayQueue, ConstantBackoff, WebsocketBuilder } = websocket;
const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
await new Promise((resolve) => server.on("listening", resolve));
const heard = [[], []];
let connections = 0, all;
server.on("connection", (socket) => {
  const texts = heard[connections++];
  socket.on("message", (text) => {
    if (texts.push(`${text}`) < 3) return;
    if (connections === 1) socket.terminate();
    else all();
  });
});
const client = new WebsocketBuilder(`ws://127.0.0.1:${server.address().port}`).withBuffer(new ArrayQueue()).withBackoff(new ConstantBackoff(50)).build();
client.addEventListener("open", () => client.send("from the listener"));
client.addEventListener("close", () => ["third", "fourth"].forEach((text) => client.send(text)));
["first", "second"].forEach((text) => client.send(text));
await new Promise((resolve) => (all = resolve));
heard.forEach((texts, index) => console.log(`connection ${index + 1}: ${texts.join(", ")}`));
process.exit(0);
END
timeout 30 node program.mjs | tee seen
printf 'connection %s\n' '1: from the listener, first, second' '2: from the listener, third, fourth' | cmp - seen
