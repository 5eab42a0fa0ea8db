#!/bin/sh
# python3-gevent-websocket 0.10.1-5 (Debian 12), beside ws 8.23.0 (npm) as the client, Node 20.
# Guess: close(4001, "superseded") sends that code and that reason, and a client's close is answered with its code.
# Seen: the code is never sent: the reason stands in its place, so that its first two letters are the code, 29557 of "superseded". The answer to a close with
# a reason begins with "bytearray(", as Python prints it: 25209. Who looks at codes takes both for a breach of the protocol (1002), as ws does (1006 and an
# error), also at the end of a conversation that went well. Without a reason there is no code: 1005.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts ws@8.23.0 >log 2>&1 || { cat log; exit 1; }
apt-get download python3-gevent-websocket=0.10.1-5 python3-gevent python3-greenlet python3-zope.event python3-zope.interface libev4 libc-ares2 libuv1 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >server.py <<'END'
from gevent import pywsgi
from geventwebsocket.handler import WebSocketHandler
def app(environment, start):
    socket = environment["wsgi.websocket"]
    path = environment["PATH_INFO"]
    if path == "/reason":
        socket.close(4001, "superseded")
    elif path == "/code":
        socket.close(4001)
    else:
        socket.receive()
    return []
server = pywsgi.WSGIServer(("127.0.0.1", 0), app, handler_class=WebSocketHandler, log=None)
server.start()
print(server.server_port, flush=True)
server.serve_forever()
END
cat >program.mjs <<'END'
import { spawn } from "node:child_process";
import { WebSocket } from "ws";
const server = spawn("python3", ["server.py"], { stdio: ["ignore", "pipe", "inherit"] });
const port = Number(await new Promise((resolve) => server.stdout.once("data", resolve)));
for (const [who, path, ...close] of [["server", "reason"], ["server", "code"], ["client", "", 4000, "bye"], ["client", "", 1000, "done"], ["client", "", 4000]]) {
  await new Promise((resolve) => {
    const client = new WebSocket(`ws://127.0.0.1:${port}/${path}`);
    let told = "";
    client.on("open", () => who === "client" && client.close(...close));
    client.on("error", (error) => (told = `, ${error.message}`));
    client.on("close", (code) => { console.log(`the ${who} closes, ${path || close.join(" ")}: ${code}${told}`); resolve(); });
  });
}
server.kill();
process.exit(0);
END
LD_LIBRARY_PATH=$(echo "$folder"/root/usr/lib/*-linux-gnu) PYTHONPATH=$folder/root/usr/lib/python3/dist-packages timeout 30 node program.mjs | tee seen
cat >wanted <<'END'
the server closes, reason: 1006, Invalid WebSocket frame: invalid status code 29557
the server closes, code: 1005
the client closes, 4000 bye: 1006, Invalid WebSocket frame: invalid status code 25209
the client closes, 1000 done: 1006, Invalid WebSocket frame: invalid status code 25209
the client closes, 4000: 1005
END
cmp wanted seen
