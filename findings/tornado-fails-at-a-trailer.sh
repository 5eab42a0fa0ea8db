#!/bin/sh
# python3-tornado 6.2.0-3+deb12u4, beside python3-aiohttp 3.8.4-1+deb12u2 (Debian 12).
# Guess: a chunked answer may end with trailer fields (a checksum, a status), and a chunk's size may be followed by an extension; who does not want
# them passes over them, as RFC 9112 says.
# Seen: tornado's client fails with 599, "Connection closed", at either, with all of the body read. aiohttp passes over both. A proxy that adds
# a trailer makes each answer of a server a failure.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download python3-tornado=6.2.0-3+deb12u4 python3-aiohttp=3.8.4-1+deb12u2 python3-aiosignal python3-async-timeout python3-attr \
  python3-charset-normalizer python3-frozenlist python3-idna python3-multidict python3-yarl >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.py <<'END'
import asyncio, logging, aiohttp, tornado.httpclient

logging.disable(logging.CRITICAL)
CHUNKS = {"plain": "2\r\nok\r\n0\r\n\r\n", "trailer": "2\r\nok\r\n0\r\nX-Checksum: 1\r\n\r\n", "extension": "2;part=1\r\nok\r\n0\r\n\r\n"}

async def serve(reader, writer):
    path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
    writer.write(f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{CHUNKS[path[1:]]}".encode())
    await writer.drain()
    await asyncio.sleep(1)
    writer.close()

async def with_aiohttp(url):
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return f"{answer.status} {await answer.text()}"

async def with_tornado(url):
    try:
        answer = await tornado.httpclient.AsyncHTTPClient().fetch(url)
        return f"{answer.code} {answer.body.decode()}"
    except tornado.httpclient.HTTPError as error:
        return f"{error.code} {error}"

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    for ask in with_aiohttp, with_tornado:
        for path in CHUNKS:
            print(f"{ask.__name__[5:]}, {path}: {await ask(f'http://127.0.0.1:{server.sockets[0].getsockname()[1]}/{path}')}")

asyncio.run(main())
END
PYTHONPATH=$folder/root/usr/lib/python3/dist-packages timeout 60 python3 -S program.py 2>log | tee seen
printf '%s\n' 'aiohttp, plain: 200 ok' 'aiohttp, trailer: 200 ok' 'aiohttp, extension: 200 ok' \
  'tornado, plain: 200 ok' 'tornado, trailer: 599 Connection closed' 'tornado, extension: 599 Connection closed' | cmp - seen
