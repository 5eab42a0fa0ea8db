#!/bin/sh
# python3-uvicorn 0.17.6-1 with python3-websockets 10.4-1 and with python3-wsproto 1.2.0-1 (Debian 12).
# Guess: which of the two packages speaks WebSocket (uvicorn takes what is installed) is a matter of speed, not of what a client sees.
# Seen: an app that returns after its accept is closed with 1000 by one; by the other nothing is sent and the connection stays, without anybody to
# read it. At a shut-down it is the other that says 1012 ("service restart"), and the first only ends TCP (1006).
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download python3-uvicorn=0.17.6-1 python3-websockets=10.4-1 python3-wsproto=1.2.0-1 python3-h11 python3-asgiref python3-click >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.py <<'END'
import asyncio, os, socket, sys, uvicorn

REQUEST = (b"GET /%b HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")

async def connect(port, path=b""):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST % path)
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer

async def first_frame(reader, seconds=2):
    try:
        head = await asyncio.wait_for(reader.readexactly(2), seconds)
    except asyncio.TimeoutError:
        return "nothing"
    except asyncio.IncompleteReadError:
        return "the end of TCP"
    payload = await reader.readexactly(head[1])
    return f"close {int.from_bytes(payload[:2], 'big')}{payload[2:].decode()}" if head[0] == 0x88 else payload.decode()

async def app(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    while scope["path"] == "/waits" and (await receive())["type"] != "websocket.disconnect":
        pass

async def main(protocol):
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, ws=protocol, lifespan="off", log_level="critical"))
    server.install_signal_handlers = lambda: None
    running = asyncio.ensure_future(server.serve(sockets=[listening]))
    port = listening.getsockname()[1]
    returned, _writer = await connect(port, b"returns")
    print(f"{protocol}: the app returns: {await first_frame(returned)}")
    waiting, _writer = await connect(port, b"waits")
    server.should_exit = True
    print(f"{protocol}: is shut down: {await first_frame(waiting, 5)}", flush=True)
    os._exit(0)

asyncio.run(main(sys.argv[1]))
END
for protocol in websockets wsproto; do
  PYTHONPATH=$folder/root/usr/lib/python3/dist-packages timeout 30 python3 -S program.py $protocol
done | tee seen
printf '%s\n' 'websockets: the app returns: close 1000' 'websockets: is shut down: the end of TCP' 'wsproto: the app returns: nothing' \
  'wsproto: is shut down: close 1012' | cmp - seen
