#!/bin/sh
# python3-uvicorn 0.17.6-1 with python3-websockets 10.4-1, beside python3-wsproto 1.2.0-1 and python3-hypercorn 0.13.2-3 (Debian 12).
# Guess: the reason of a close frame, which holds 123 bytes, is cut where an app gives a longer one, as an exception's text often is.
# Seen: wsproto cuts it, under uvicorn and under hypercorn. With websockets the app's send() raises, and TCP ends without a close frame: a 1008 ("policy
# violation") or 4001, which says to stay away, comes to the client as 1006, after which it comes back. (Starlette's close() hands a reason on as
# it is.)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download python3-uvicorn=0.17.6-1 python3-websockets=10.4-1 python3-wsproto=1.2.0-1 python3-hypercorn=0.13.2-3 python3-h11 python3-asgiref \
  python3-click python3-h2 python3-hpack python3-hyperframe python3-priority python3-toml >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.py <<'END'
import asyncio, os, socket, sys
import hypercorn.asyncio, uvicorn

REQUEST = (b"GET /%d HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")

async def app(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 1008, "reason": "x" * int(scope["path"][1:])})

async def first_frame(port, length):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST % length)
    await reader.readuntil(b"\r\n\r\n")
    try:
        head = await asyncio.wait_for(reader.readexactly(2), 5)
    except asyncio.IncompleteReadError:
        return "the end of TCP"
    payload = await reader.readexactly(head[1])
    return f"close {int.from_bytes(payload[:2], 'big')}, {len(payload) - 2} bytes"

async def main(name):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    if name == "hypercorn":
        config = hypercorn.Config()
        config.bind, config.loglevel, config.errorlog = [f"127.0.0.1:{port}"], "CRITICAL", None
        serving = hypercorn.asyncio.serve(app, config)
    else:
        server = uvicorn.Server(uvicorn.Config(app, port=port, ws=name, lifespan="off", log_level="critical"))
        server.install_signal_handlers = lambda: None
        serving = server.serve()
    running = asyncio.ensure_future(serving)
    while not running.done():
        try:
            (await asyncio.open_connection("127.0.0.1", port))[1].close()
            break
        except ConnectionError:
            await asyncio.sleep(0.1)
    for length in (123, 124):
        print(f"{name}: a reason of {length}: {await first_frame(port, length)}", flush=True)
    os._exit(0)

asyncio.run(main(sys.argv[1]))
END
for name in websockets wsproto hypercorn; do
  PYTHONPATH=$folder/root/usr/lib/python3/dist-packages timeout 30 /usr/bin/python3 -S program.py $name 2>log || { cat log; exit 1; }
done | tee seen
printf '%s\n' 'websockets: a reason of 123: close 1008, 123 bytes' 'websockets: a reason of 124: the end of TCP' \
  'wsproto: a reason of 123: close 1008, 123 bytes' 'wsproto: a reason of 124: close 1008, 123 bytes' \
  'hypercorn: a reason of 123: close 1008, 123 bytes' 'hypercorn: a reason of 124: close 1008, 123 bytes' | cmp - seen
