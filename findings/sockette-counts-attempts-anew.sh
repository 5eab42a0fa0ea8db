#!/bin/sh
# sockette 2.0.6 (npm) over ws 8.23.0, Node 20.
# Guess: maxAttempts bounds how often it tries before onmaximum is called.
# Seen: each opening begins the count anew. A server that accepts and then closes (a gateway whose backend is gone, a handler that refuses what
# it is given) is tried without end at the same distance, and onmaximum never comes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts sockette@2.0.6 ws@8.23.0 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import Sockette from "sockette";
import { WebSocket, WebSocketServer } from "ws";
globalThis.WebSocket = WebSocket;
let connections = 0;
let gaveUp = false;
const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
await new Promise((resolve) => server.on("listening", resolve));
await new Promise((resolve) => {
  server.on("connection", (socket) => (++connections < 20 ? socket.close(1011) : resolve()));
  new Sockette(`ws://127.0.0.1:${server.address().port}`, { timeout: 10, maxAttempts: 3, onmaximum: () => resolve((gaveUp = true)) });
});
console.log(`${connections} connections, gave up: ${gaveUp}`);
process.exit(0);
END
timeout 30 node program.mjs | tee seen
echo '20 connections, gave up: false' | cmp - seen
