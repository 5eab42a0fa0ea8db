#!/bin/sh
# proxy-chain 3.0.1 (npm), beside proxy 4.1.0 (npm) and tinyproxy 1.11.1-2.1+deb12u1 (Debian 12), Node 20.
# Guess: a proxy that does not reach a host says so, to a plain request and to CONNECT alike: 5xx, or one of the statuses of its own that its README lists
# (594: connection refused).
# Seen: that holds for plain requests. To CONNECT, which is what every https:// and wss:// begins with, it answers nothing and ends TCP: a server that is
# down looks like a broken proxy ("socket hang up"), and is looked for there.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts proxy-chain@3.0.1 proxy@4.1.0 >log 2>&1 || { cat log; exit 1; }
apt-get download tinyproxy-bin=1.11.1-2.1+deb12u1 tinyproxy=1.11.1-2.1+deb12u1 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.mjs <<'END'
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect, createServer as listen } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createProxy } from "proxy";
import { Server } from "proxy-chain";
const port = (server) => new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port)));
const free = async () => { const server = listen(); const taken = await port(server); server.close(); return taken; };
const answer = (proxy, request) => new Promise((resolve) => {
  let text = "";
  const socket = connect(proxy, "127.0.0.1", () => socket.write(`${request}\r\n\r\n`));
  socket.on("data", (data) => { text += data; if (text.includes("\r\n\r\n")) socket.end(); });
  socket.on("error", () => {}).on("close", () => resolve(text.split("\r\n")[0] || "nothing, TCP ends"));
});
const tiny = await free();
writeFileSync("tinyproxy.conf", `Port ${tiny}\nListen 127.0.0.1\nTimeout 20\n`);
const child = spawn("root/usr/bin/tinyproxy", ["-d", "-c", "tinyproxy.conf"], { stdio: "ignore" });
const chain = new Server({ host: "127.0.0.1", port: 0 });
await chain.listen();
const proxies = { "proxy-chain": chain.port, proxy: await port(createProxy(createServer())), tinyproxy: tiny };
await sleep(500);
const host = `127.0.0.1:${await free()}`; // nobody listens there
for (const [name, proxy] of Object.entries(proxies)) {
  console.log(`${name}, GET: ${await answer(proxy, `GET http://${host}/ HTTP/1.1\r\nHost: ${host}`)}`);
  console.log(`${name}, CONNECT: ${await answer(proxy, `CONNECT ${host} HTTP/1.1\r\nHost: ${host}`)}`);
}
child.kill();
process.exit(0);
END
timeout 60 node program.mjs | tee seen
cat >wanted <<'END'
proxy-chain, GET: HTTP/1.1 594 Connection Refused
proxy-chain, CONNECT: nothing, TCP ends
proxy, GET: HTTP/1.1 500 Internal Server Error
proxy, CONNECT: HTTP/1.1 500 Internal Server Error
tinyproxy, GET: HTTP/1.1 500 Unable to connect
tinyproxy, CONNECT: HTTP/1.1 500 Unable to connect
END
cmp wanted seen
