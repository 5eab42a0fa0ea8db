#!/bin/sh
# mitmproxy 8.1.1-2, in front of python3-websockets 10.4-1 (Debian 12).
# Guess: between a client and a server it changes nothing but what its user changes: a close frame goes through with its code, and a TCP connection that ends
# without one (1006 to whoever looks), or is reset, ends so at the other side as well.
# Seen: codes go through, and each loss becomes a close frame with 1000, in both directions: a normal closure, wasClean true. A client that comes back
# after losses stays away when it is watched through mitmproxy, and the loss that was to be looked into is not to be seen there.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download mitmproxy=8.1.1-2 python3-asgiref python3-blinker python3-brotli python3-certifi python3-cffi-backend python3-click python3-colorama \
  python3-cryptography python3-flask python3-h11 python3-h2 python3-hpack python3-hyperframe python3-importlib-metadata python3-itsdangerous python3-jinja2 \
  python3-kaitaistruct python3-ldap3 python3-markupsafe python3-more-itertools python3-msgpack python3-openssl python3-passlib python3-pkg-resources \
  python3-protobuf python3-publicsuffix2 python3-pyasn1 python3-pyparsing python3-pyperclip python3-ruamel.yaml python3-ruamel.yaml.clib \
  python3-sortedcontainers python3-tornado python3-typing-extensions python3-urwid python3-werkzeug python3-wsproto python3-zipp python3-zstandard \
  libprotobuf32 python3-websockets=10.4-1 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.py <<'END'
import asyncio, socket, struct, subprocess, sys, websockets
async def end(connection, how):
    if how.isdigit():
        return await connection.close(int(how), "the reason")
    if how == "a reset":
        connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.transport.abort()
async def serve(connection):
    how = await connection.recv()
    if how == "wait":
        await connection.wait_closed()
        connection.ws_server.told.set_result(connection.close_code)
    else:
        await end(connection, how)
async def told(address, how):
    async with websockets.connect(address) as connection:
        await connection.send(how)
        await asyncio.wait_for(connection.wait_closed(), 5)
        return connection.close_code
async def told_server(server, address, how):
    server.told = asyncio.get_running_loop().create_future()
    connection = await websockets.connect(address)
    await connection.send("wait")
    await asyncio.sleep(0.3)
    await end(connection, how)
    return await asyncio.wait_for(server.told, 5)
async def open_at(port):
    while True:
        try:
            return (await asyncio.open_connection("127.0.0.1", port))[1].close()
        except OSError:
            await asyncio.sleep(0.2)
async def main():
    with socket.create_server(("127.0.0.1", 0)) as free:
        proxy_port = free.getsockname()[1]
    async with websockets.serve(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with subprocess.Popen([sys.executable, "-S", "root/usr/bin/mitmdump", "-q", "--set", "confdir=conf", "--mode", f"reverse:http://127.0.0.1:{port}",
                               "--listen-host", "127.0.0.1", "-p", str(proxy_port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as proxy:
            await asyncio.wait_for(open_at(proxy_port), 30)
            for way, to in (("straight", port), ("mitmproxy", proxy_port)):
                for how in ("1012", "a loss", "a reset"):
                    address = f"ws://127.0.0.1:{to}/"
                    print(f"{way}: {how} of the server's is {await told(address, how)}, of the client's {await told_server(server, address, how)}", flush=True)
            proxy.kill()
asyncio.run(main())
END
PYTHONPATH=$folder/root/usr/lib/python3/dist-packages LD_LIBRARY_PATH=$(echo root/usr/lib/*-linux-gnu) timeout 90 /usr/bin/python3 -S program.py | tee seen
cat >wanted <<'END'
straight: 1012 of the server's is 1012, of the client's 1012
straight: a loss of the server's is 1006, of the client's 1006
straight: a reset of the server's is 1006, of the client's 1006
mitmproxy: 1012 of the server's is 1012, of the client's 1012
mitmproxy: a loss of the server's is 1000, of the client's 1000
mitmproxy: a reset of the server's is 1000, of the client's 1000
END
cmp wanted seen
