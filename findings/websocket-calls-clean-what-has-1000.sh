#!/bin/sh
# websocket 1.0.35 (npm): its w3cwebsocket, ws 8.23.0 as the server, Node 20.
# Guess: wasClean says whether both sides sent a close frame, whoever began, as with a browser's WebSocket.
# Seen: it says no more than that the code is 1000. A server's 4000, answered as it should be, is unclean; a close without a code comes as 1006
# "Connection dropped by remote peer.", a loss, where 1005 is meant.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts websocket@1.0.35 ws@8.23.0 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import websocket from "websocket";
import { WebSocketServer } from "ws";
for (const code of [1000, 4000, undefined]) {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await new Promise((resolve) => server.on("listening", resolve));
  const answered = new Promise((resolve) => server.on("connection", (socket) => {
    socket.on("close", resolve);
    socket.close(code);
  }));
  const client = new websocket.w3cwebsocket(`ws://127.0.0.1:${server.address().port}`);
  const event = await new Promise((resolve) => (client.onclose = resolve));
  console.log(`${code ?? "no code"} is told as ${event.code}, clean: ${event.wasClean}; the server was answered ${await answered}`);
  server.close();
}
process.exit(0);
END
timeout 30 node program.mjs | tee seen
printf '%s; the server was answered 1000\n' '1000 is told as 1000, clean: true' '4000 is told as 4000, clean: false' \
  'no code is told as 1006, clean: false' | cmp - seen
