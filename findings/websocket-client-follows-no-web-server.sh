#!/bin/sh
# python3-websocket 1.2.3-1 (websocket-client), beside python3-websockets 10.4-1 and python3-aiohttp 3.8.4-1+deb12u2 (Debian 12).
# Guess: a client that follows redirects takes Location as web servers write it: "http://…" of the same server, or a path (RFC 9110, 10.2.2).
# Seen: websocket-client follows "ws://…", which no web server writes, and answers the other two with ValueError, "url is invalid" or "scheme http is
# invalid", as if the program had given a wrong address; the status and the Location are not told. websockets refuses "http://…", too; aiohttp takes it and
# refuses "ws://…". No form is followed by all three.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download python3-websocket=1.2.3-1 python3-six python3-websockets=10.4-1 python3-aiohttp=3.8.4-1+deb12u2 python3-aiosignal python3-async-timeout \
  python3-attr python3-charset-normalizer python3-frozenlist python3-idna python3-multidict python3-yarl >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.py <<'END'
import asyncio, base64, hashlib, re, socket, threading
import aiohttp, websocket, websockets

def serve(connection):
    request = b""
    while not request.endswith(b"\r\n\r\n"):
        request += connection.recv(65536)
    path = request.split()[1]
    if path == b"/app/":
        key = re.search(rb"sec-websocket-key: *(.*)\r", request, re.I)[1]
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %b\r\n\r\n"
                           b"\x81\x05hello" % accept)
        connection.recv(65536)
    else:
        location = {b"/path": b"/app/", b"/http": b"http://127.0.0.1:%d/app/" % port, b"/ws": b"ws://127.0.0.1:%d/app/" % port}[path]
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: %b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % location)
    connection.close()

def listen():
    while True:
        threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()

def ask_websocket_client(url):
    return websocket.create_connection(url, timeout=10).recv()

def ask_websockets(url):
    async def ask():
        async with websockets.connect(url) as connection:
            return await connection.recv()
    return asyncio.run(ask())

def ask_aiohttp(url):
    async def ask():
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as connection:
            return (await connection.receive()).data
    return asyncio.run(ask())

server = socket.create_server(("127.0.0.1", 0))
port = server.getsockname()[1]
threading.Thread(target=listen, daemon=True).start()
for name, ask in ("websocket-client", ask_websocket_client), ("websockets", ask_websockets), ("aiohttp", ask_aiohttp):
    for form in "path", "http", "ws":
        try:
            told = ask(f"ws://127.0.0.1:{port}/{form}")
        except Exception as error:
            told = f"{type(error).__name__}: {error}".replace(str(port), "PORT")
        print(f"{name}, {form}: {told}")
END
PYTHONPATH=$folder/root/usr/lib/python3/dist-packages timeout 60 /usr/bin/python3 -S program.py | tee seen
printf '%s\n' 'websocket-client, path: ValueError: url is invalid' 'websocket-client, http: ValueError: scheme http is invalid' 'websocket-client, ws: hello' \
  'websockets, path: hello' \
  "websockets, http: InvalidURI: http://127.0.0.1:PORT/app/ isn't a valid URI: scheme isn't ws or wss" 'websockets, ws: hello' \
  'aiohttp, path: hello' 'aiohttp, http: hello' 'aiohttp, ws: ValueError: Can redirect only to http or https' | cmp - seen
