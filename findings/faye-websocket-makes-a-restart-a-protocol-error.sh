#!/bin/sh
# faye-websocket 0.11.4 with websocket-driver 0.8.0 (npm), ws 8.23.0 as the server, Node 20.
# Guess: a close code registered with IANA is told as it came: 1012 ("service restart"), 1013 ("try again later"), 1014 ("bad gateway").
# Seen: each of them is told as 1002, a protocol error, with the server's own reason beside it, and answered with 1002. A client that asks the
# code whether to come back takes a restart for a fault of its own.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts faye-websocket@0.11.4 websocket-driver@0.8.0 ws@8.23.0 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import faye from "faye-websocket";
import { WebSocketServer } from "ws";
for (const code of [1001, 1012, 1013, 1014, 4000]) {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await new Promise((resolve) => server.on("listening", resolve));
  const answered = new Promise((resolve) => server.on("connection", (socket) => {
    socket.on("close", resolve);
    socket.close(code, "why");
  }));
  const client = new faye.Client(`ws://127.0.0.1:${server.address().port}`);
  const event = await new Promise((resolve) => client.on("close", resolve));
  console.log(`${code} is told as ${event.code} ${event.reason}, answered with ${await answered}`);
  server.close();
}
process.exit(0);
END
timeout 30 node program.mjs | tee seen
printf '%s is told as %s why, answered with %s\n' 1001 1001 1001 1012 1002 1002 1013 1002 1002 1014 1002 1002 4000 4000 4000 | cmp - seen
