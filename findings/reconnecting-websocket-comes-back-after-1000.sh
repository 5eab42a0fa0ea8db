#!/bin/sh
# reconnecting-websocket 4.4.0, partysocket 1.3.0 (npm) over ws 8.23.0, Node 20.
# Guess: a server that closes with 1000 ("normal closure") has ended the conversation; it is come back to after a loss.
# Seen: both connect again after any close that was not the program's own, 1000 and 1008 ("policy violation": an account that may not) among
# them, and by their defaults without end. The close event is told, but close() must be called in it to stay away.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts reconnecting-websocket@4.4.0 partysocket@1.3.0 ws@8.23.0 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import Reconnecting from "reconnecting-websocket";
import Party from "partysocket/ws";
import { WebSocket, WebSocketServer } from "ws";
const options = { WebSocket, minReconnectionDelay: 10, maxReconnectionDelay: 20 };
for (const [name, Client] of [["reconnecting-websocket", Reconnecting], ["partysocket", Party.default ?? Party]])
  for (const code of [1000, 1008]) {
    let connections = 0;
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await new Promise((resolve) => server.on("listening", resolve));
    const tried = new Promise((resolve) => setTimeout(resolve, 3000) && server.on("connection", (socket) => {
      if (++connections === 5) resolve();
      socket.close(code);
    }));
    const client = new Client(`ws://127.0.0.1:${server.address().port}`, [], options);
    await tried;
    client.close();
    console.log(`${name}: ${connections} connections, each closed with ${code}`);
  }
process.exit(0);
END
timeout 30 node program.mjs | tee seen
for name in reconnecting-websocket partysocket; do printf "$name: 5 connections, each closed with %s\n" 1000 1008; done | cmp - seen
