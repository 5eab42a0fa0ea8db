"""WebSocket echoes over TLS, each with another certificate, for websocket_tls_test.c. Prints NAME=VALUE lines, then "ready";
ends when nobody reads its output any more."""
import asyncio
import base64
import hashlib
import logging
import os
import re
import socket
import ssl
import struct
import sys
import tempfile
import threading

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


async def tell_resumed(reader, writer):
    """Answers the upgrade with whether TLS was resumed, and the close frame; by hand, for it must see the TLS below."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = re.search(r"Sec-WebSocket-Key: (\S+)", head).group(1)
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        tls = writer.get_extra_info("ssl_object")
        resumed = "yes" if tls.session_reused else "no"
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
                     + accept + f"\r\nX-Resumed: {resumed}\r\nX-Version: {tls.version()}\r\n\r\n".encode())
        await reader.readexactly(6)
        writer.write(b"\x88\x02\x03\xe8")
    except (OSError, asyncio.IncompleteReadError):
        pass
    writer.close()


async def leave(connection, path=None):
    await connection.recv()
    connection.transport.abort()


async def reset(connection, path=None):
    await connection.recv()
    for _ in range(10):
        await connection.send(b"x" * 4000)
    await asyncio.sleep(0.05)
    raw = connection.transport.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.transport.abort()


def demand(folder):
    """Wants a client certificate in TLS 1.3, and says so by an alert (asyncio would not send it). Returns the port."""
    tls = context(folder, "good", client=True)
    tls.maximum_version = ssl.TLSVersion.TLSv1_3
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            connection = listener.accept()[0]
            try:
                tls.wrap_socket(connection, server_side=True)
            except OSError:
                connection.close()

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


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
    old = context(folder, "good")
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    asking = context(folder, "good")
    asking.load_verify_locations(f"{folder}/ca.pem")
    asking.verify_mode = ssl.CERT_OPTIONAL
    for name, tls in (("resume", asking), ("resume_old", old), ("resume_wrong", context(folder, "wrong"))):
        print(f"{name}={port_of(await asyncio.start_server(tell_resumed, '127.0.0.1', 0, ssl=tls))}")
    print(f"demanding={demand(folder)}")
    resetting = await websockets.serve(reset, "127.0.0.1", 0, ssl=context(folder, "good"))
    print(f"reset={port_of(resetting)}")
    leaving = await websockets.serve(leave, "127.0.0.1", 0, ssl=context(folder, "good"))
    print(f"leave={port_of(leaving)}")
    for name, serve in (("stall", stall), ("hang_up", hang_up), ("plain", speak_plainly), ("proxy", tunnel)):
        print(f"{name}={port_of(await asyncio.start_server(serve, '127.0.0.1', 0))}")
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


with tempfile.TemporaryDirectory() as folder:
    asyncio.run(main(folder))
