#!/bin/sh
# python3-trio-websocket 0.9.2-2, beside python3-websockets 10.4-1 (Debian 12).
# Guess: a handler that raises ends its own connection, with 1011 (internal error, RFC 6455, 7.4.1); the server goes on.
# Seen: serve_websocket() hands the exception on to whoever started it, and ends: the other clients' connections with it, 1006, and whoever comes next finds
# nobody. The client whose input it was is told 1000, a normal end, so that a client that looks at the code has nothing to report and nothing to try again.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download python3-trio-websocket=0.9.2-2 python3-trio python3-wsproto python3-h11 python3-outcome python3-sniffio python3-sortedcontainers \
  python3-async-generator python3-attr python3-idna python3-websockets=10.4-1 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >trio_server.py <<'END'
import trio, trio_websocket
async def handle(request):
    connection = await request.accept()
    while True:
        await connection.send_message(str(10 / int(await connection.get_message())))
async def main():
    async with trio.open_nursery() as nursery:
        server = await nursery.start(trio_websocket.serve_websocket, handle, "127.0.0.1", 0, None)
        print(server.port, flush=True)
trio.run(main)
END
cat >websockets_server.py <<'END'
import asyncio, websockets
async def handle(connection):
    async for message in connection:
        await connection.send(str(10 / int(message)))
async def main():
    async with websockets.serve(handle, "127.0.0.1", 0) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()
asyncio.run(main())
END
cat >clients.py <<'END'
import asyncio, subprocess, sys, websockets
async def tell(name, connection, *inputs):
    told = []
    try:
        for text in inputs:
            await connection.send(text)
            told.append(await asyncio.wait_for(connection.recv(), 2))
        told.append(await asyncio.wait_for(connection.recv(), 2))
    except asyncio.TimeoutError:
        told.append("stays")
    except websockets.ConnectionClosed as end:
        told.append(f"closed with {end.code}")
    return " ".join((" ", name, *told))
async def main(port):
    address = f"ws://127.0.0.1:{port}/"
    async with websockets.connect(address) as first, websockets.connect(address) as second:
        print(*await asyncio.gather(tell("one sends 5, 2:", first, "5", "2"), tell("one sends 4, 0:", second, "4", "0")), sep="\n")
    try:
        async with websockets.connect(address) as third:
            print(await tell("the next sends 1:", third, "1"))
    except OSError as error:
        print("  the next:", type(error).__name__)
for name in ("trio_server", "websockets_server"):
    with subprocess.Popen([sys.executable, "-S", f"{name}.py"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        print(name, flush=True)
        asyncio.run(main(int(server.stdout.readline())))
        server.kill()
END
PYTHONPATH=$(echo "$folder"/root/usr/lib/python3*/dist-packages | tr ' ' ':') timeout 60 /usr/bin/python3 -S clients.py | tee seen
cat >wanted <<'END'
trio_server
  one sends 5, 2: 2.0 5.0 closed with 1006
  one sends 4, 0: 2.5 closed with 1000
  the next: ConnectionRefusedError
websockets_server
  one sends 5, 2: 2.0 5.0 stays
  one sends 4, 0: 2.5 closed with 1011
  the next sends 1: 10.0 stays
END
cmp wanted seen
