#!/bin/sh
# deno 2.9.6, ws 8.23.0 as the server (npm).
# Guess: the close event has the code of the server's close frame, and 1006 where TCP ended without one, as the WebSocket standard says.
# Seen: 0 where TCP ended without one, so that `event.code === 1006`, the usual test for "come back", is never true; and 0 as well of a server's
# 1014 ("bad gateway"), which is answered with 1002 as a protocol error.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts deno@2.9.6 ws@8.23.0 >log 2>&1 || { cat log; exit 1; }
cat >client.mjs <<'END'
const client = new WebSocket(Deno.args[0]);
client.onclose = (event) => console.log(`code ${event.code}, clean: ${event.wasClean}`);
END
cat >program.mjs <<'END'
import { spawn } from "node:child_process";
import { WebSocketServer } from "ws";
for (const end of [1000, 1012, 1014, "a loss"]) {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await new Promise((resolve) => server.on("listening", resolve));
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    if (end === "a loss") socket.terminate();
    else socket.close(end, "why");
  });
  const deno = spawn(process.argv[2], ["run", "--no-config", "--allow-net=127.0.0.1", "client.mjs", `ws://127.0.0.1:${server.address().port}`]);
  let seen = "";
  deno.stdout.on("data", (text) => (seen += text));
  await new Promise((resolve) => deno.on("close", resolve));
  console.log(`${end} is told as ${seen.trim()}`);
}
process.exit(0);
END
cp node_modules/@deno/*/deno deno && chmod +x deno
DENO_DIR=$folder/cache DENO_NO_UPDATE_CHECK=1 timeout 60 node program.mjs ./deno | tee seen
printf '%s\n' '1000 is told as code 1000, clean: true' '1012 is told as code 1012, clean: true' '1014 is told as code 0, clean: false' \
  'a loss is told as code 0, clean: false' | cmp - seen
