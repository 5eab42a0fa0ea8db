"""WebSocket echoes over TLS, each with another certificate, for websocket_tls_test.c. Prints NAME=VALUE lines, then "ready";
ends when nobody reads its output any more."""
import asyncio
import logging
import os
import ssl
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "servers"))
import certificates
import websockets

logging.disable(logging.CRITICAL)
LOCAL = "DNS:localhost,IP:127.0.0.1,IP:::1"


async def echo(connection, path=None):
    async for message in connection:
        await connection.send(message)


async def stall(reader, writer):
    await reader.read(100000)
    await asyncio.sleep(2)
    writer.close()


async def hang_up(reader, writer):
    await reader.read(1)
    writer.close()


async def speak_plainly(reader, writer):
    await reader.read(100000)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await writer.drain()
    writer.close()


async def copy(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


async def tunnel(reader, writer):
    """A proxy: CONNECT name:port leads to that port of this machine."""
    head = await reader.readuntil(b"\r\n\r\n")
    port = int(head.split(b" ")[1].rsplit(b":", 1)[1])
    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))


async def leave(connection, path=None):
    await connection.recv()
    connection.transport.abort()


def make_certificates(folder):
    certificates.authority(folder, "ca")
    certificates.authority(folder, "other")
    certificates.certificate(folder, "good", LOCAL)
    certificates.certificate(folder, "wrong", "DNS:example.org")
    certificates.certificate(folder, "expired", LOCAL, expired=True)
    certificates.certificate(folder, "unknown", LOCAL, ca="other")
    certificates.certificate(folder, "client", "DNS:client")


def context(folder, name, client=False):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(f"{folder}/{name}.pem", f"{folder}/{name}.key")
    if client:
        made.load_verify_locations(f"{folder}/ca.pem")
        made.verify_mode = ssl.CERT_REQUIRED
        made.maximum_version = ssl.TLSVersion.TLSv1_2  # so that the refusal comes within the handshake
    return made


def port_of(server):
    return server.sockets[0].getsockname()[1]


async def main(folder):
    make_certificates(folder)
    print(f"folder={folder}")
    for name in ("good", "wrong", "expired", "unknown", "other"):
        server = await websockets.serve(echo, "127.0.0.1", 0, ssl=context(folder, name), max_size=None)
        print(f"{name}={port_of(server)}")
    v6 = await websockets.serve(echo, "::1", 0, ssl=context(folder, "good"))
    print(f"v6={port_of(v6)}")
    client = await websockets.serve(echo, "127.0.0.1", 0, ssl=context(folder, "good", client=True))
    print(f"client={port_of(client)}")
    leaving = await websockets.serve(leave, "127.0.0.1", 0, ssl=context(folder, "good"))
    print(f"leave={port_of(leaving)}")
    for name, serve in (("stall", stall), ("hang_up", hang_up), ("plain", speak_plainly), ("proxy", tunnel)):
        print(f"{name}={port_of(await asyncio.start_server(serve, '127.0.0.1', 0))}")
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


with tempfile.TemporaryDirectory() as folder:
    asyncio.run(main(folder))
