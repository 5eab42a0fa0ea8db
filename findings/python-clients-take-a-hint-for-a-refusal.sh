#!/bin/sh
# python3-websockets 10.4-1, python3-websocket 1.2.3-1 (websocket-client), python3-ws4py 0.5.1+dfsg1-2, beside python3-aiohttp 3.8.4-1+deb12u2 (Debian 12).
# Guess: interim answers to an upgrade (103 of a proxy that sends early hints, 102 of one that asks for patience, 100) are passed over, as RFC 9110
# (15.2) wants of every client; the answer is the 101 behind them.
# Seen: three of four take the first line for the answer: "rejected: HTTP 103", and end TCP, while the 101 is on its way. A server in front of which
# somebody switches early hints on refuses them all. aiohttp reads on.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download python3-websockets=10.4-1 python3-websocket=1.2.3-1 python3-six python3-ws4py=0.5.1+dfsg1-2 python3-aiohttp=3.8.4-1+deb12u2 \
  python3-aiosignal python3-async-timeout python3-attr python3-charset-normalizer python3-frozenlist python3-idna python3-multidict \
  python3-yarl >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.py <<'END'
import asyncio, base64, hashlib, re, socket, threading
import aiohttp, websocket, websockets
from ws4py.client import WebSocketBaseClient

INTERIM = {b"none": b"", b"103": b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n", b"102": b"HTTP/1.1 102 Processing\r\n\r\n",
           b"100": b"HTTP/1.1 100 Continue\r\n\r\n"}

def serve(connection):
    request = b""
    while not request.endswith(b"\r\n\r\n"):
        request += connection.recv(65536)
    key = re.search(rb"sec-websocket-key: *(.*)\r", request, re.I)[1]
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    connection.sendall(INTERIM[request.split()[1][1:]] + b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       b"Sec-WebSocket-Accept: %b\r\n\r\n" % accept)
    try:
        while connection.recv(65536):
            pass
    except OSError:
        pass
    connection.close()

def listen():
    while True:
        threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()

def by_websockets(url):
    async def open_one():
        await asyncio.wait_for(websockets.connect(url), 10)
    asyncio.run(open_one())

def by_websocket_client(url):
    websocket.create_connection(url, timeout=10)

def by_ws4py(url):
    WebSocketBaseClient(url).connect()

def by_aiohttp(url):
    async def open_one():
        async with aiohttp.ClientSession() as session:
            await asyncio.wait_for(session.ws_connect(url), 10)
    asyncio.run(open_one())

server = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=listen, daemon=True).start()
for way in by_websockets, by_websocket_client, by_ws4py, by_aiohttp:
    for kind in INTERIM:
        try:
            way(f"ws://127.0.0.1:{server.getsockname()[1]}/{kind.decode()}")
            told = "open"
        except Exception as error:
            told = f"{type(error).__name__}: {error}"
        print(f"{way.__name__}, {kind.decode()}: {told}", flush=True)
END
PYTHONPATH=$folder/root/usr/lib/python3/dist-packages timeout 90 /usr/bin/python3 -S program.py 2>log | tee seen || { cat log; exit 1; }
cat >expected <<'END'
by_websockets, none: open
by_websockets, 103: InvalidStatusCode: server rejected WebSocket connection: HTTP 103
by_websockets, 102: InvalidStatusCode: server rejected WebSocket connection: HTTP 102
by_websockets, 100: InvalidStatusCode: server rejected WebSocket connection: HTTP 100
by_websocket_client, none: open
by_websocket_client, 103: WebSocketBadStatusException: Handshake status 103 Early Hints
by_websocket_client, 102: WebSocketBadStatusException: Handshake status 102 Processing
by_websocket_client, 100: WebSocketBadStatusException: Handshake status 100 Continue
by_ws4py, none: open
by_ws4py, 103: HandshakeError: Invalid response status: b'103' b'Early Hints'
by_ws4py, 102: HandshakeError: Invalid response status: b'102' b'Processing'
by_ws4py, 100: HandshakeError: Invalid response status: b'100' b'Continue'
by_aiohttp, none: open
by_aiohttp, 103: open
by_aiohttp, 102: open
by_aiohttp, 100: open
END
cmp expected seen
