#!/bin/sh
# libqt5websockets5 5.15.8-2 (Debian 12), by PyQt 5.15.9; ws 8.23.0 (npm) as the server, Node 20.
# Guess: closeCode() is 1006 after a connection that ended without a close frame, and 1005 after a close frame without a code.
# Seen: 1000 ("normal closure") in both, which is what it is before anything has happened, too; so it is after a handshake that was refused. A program
# that comes back unless the end was a normal one stays away after each loss.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts ws@8.23.0 >log 2>&1 || { cat log; exit 1; }
apt-get download python3-pyqt5.qtwebsockets python3-pyqt5 python3-pyqt5.sip libqt5websockets5=5.15.8-2 libqt5network5 libqt5core5a libqt5dbus5 \
  libicu72 libpcre2-16-0 libdouble-conversion3 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >client.py <<'END'
import sys
from PyQt5.QtCore import QCoreApplication, QUrl
from PyQt5.QtWebSockets import QWebSocket
application = QCoreApplication([])
for end in sys.argv[2:]:
    socket = QWebSocket()
    socket.disconnected.connect(application.quit)
    socket.open(QUrl(sys.argv[1] + end))
    application.exec()
    print(f"{end} is told as {int(socket.closeCode())}", flush=True)
END
cat >program.mjs <<'END'
import { spawn } from "node:child_process";
import { WebSocketServer } from "ws";
const server = new WebSocketServer({ port: 0, host: "127.0.0.1", verifyClient: ({ req }) => req.url !== "/refusal" });
await new Promise((resolve) => server.on("listening", resolve));
server.on("connection", (socket, request) => {
  const end = request.url.slice(1);
  if (end === "loss") socket.terminate();
  else socket.close(Number(end) || undefined);
});
const client = spawn("python3", ["-S", "client.py", `ws://127.0.0.1:${server.address().port}/`, "4000", "no-code", "loss", "refusal"], { stdio: "inherit" });
await new Promise((resolve) => client.on("close", resolve));
process.exit(0);
END
LD_LIBRARY_PATH=$(echo "$folder"/root/usr/lib/*-linux-gnu) PYTHONPATH=$folder/root/usr/lib/python3/dist-packages timeout 30 node program.mjs 2>log | tee seen
printf '%s is told as %s\n' 4000 4000 no-code 1000 loss 1000 refusal 1000 | cmp - seen
