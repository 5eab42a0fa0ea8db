#!/bin/sh
# python3-ws4py 0.5.1+dfsg1-2, beside python3-websockets 10.4-1 (Debian 12).
# Guess: frames that come in one segment with the 101 are read like those that come after it. Servers that greet write both at once.
# Seen: the first frame is read and what stands behind it is lost: a second message, a close frame (which is then told as 1006, "Going away"), of a
# message in fragments all of it. With 0.3 s between the 101 and the frames all is there. So it depends on where a packet ends.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download python3-ws4py=0.5.1+dfsg1-2 python3-websockets=10.4-1 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.py <<'END'
import asyncio, base64, hashlib, re, socket, threading, time
import websockets
from ws4py.client.threadedclient import WebSocketClient

STORIES = {
    "two messages": b"\x81\x05hello\x81\x05again\x88\x02\x03\xe8",
    "a message and a close": b"\x81\x05hello\x88\x02\x03\xe8",
    "a message in two fragments": b"\x01\x03hel\x80\x02lo\x88\x02\x03\xe8",
}

def serve(server):
    for story in STORIES.values():
        for pause in (0, 0, 0.3, 0.3):
            connection, _ = server.accept()
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                request += connection.recv(65536)
            key = re.search(rb"sec-websocket-key: *(.*)\r", request, re.I)[1]
            accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
            head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %b\r\n\r\n" % accept
            connection.sendall(head if pause else head + story)
            if pause:
                time.sleep(pause)
                connection.sendall(story)
            connection.settimeout(2)
            try:
                while connection.recv(65536):
                    pass
            except OSError:
                pass
            connection.close()

class Client(WebSocketClient):
    def received_message(self, message):
        self.told.append(str(message))
    def closed(self, code, reason=None):
        self.told.append(f"closed {code}")

def by_ws4py(url):
    client = Client(url)
    client.told = []
    client.connect()
    client._th.join(10)
    return client.told

async def by_websockets(url):
    async with websockets.connect(url) as client:
        told = [message async for message in client]
    return told + [f"closed {client.close_code}"]

server = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=serve, args=(server,), daemon=True).start()
url = f"ws://127.0.0.1:{server.getsockname()[1]}/"
for story in STORIES:
    for when in ("with the 101", "later"):
        print(f"{story} {when}: ws4py {', '.join(by_ws4py(url))}; websockets {', '.join(asyncio.run(by_websockets(url)))}", flush=True)
END
PYTHONPATH=$folder/root/usr/lib/python3/dist-packages timeout 90 /usr/bin/python3 -S program.py 2>log | tee seen || { cat log; exit 1; }
printf '%s\n' 'two messages with the 101: ws4py hello, closed 1006; websockets hello, again, closed 1000' \
  'two messages later: ws4py hello, again, closed 1000; websockets hello, again, closed 1000' \
  'a message and a close with the 101: ws4py hello, closed 1006; websockets hello, closed 1000' \
  'a message and a close later: ws4py hello, closed 1000; websockets hello, closed 1000' \
  'a message in two fragments with the 101: ws4py closed 1006; websockets hello, closed 1000' \
  'a message in two fragments later: ws4py hello, closed 1000; websockets hello, closed 1000' | cmp - seen
