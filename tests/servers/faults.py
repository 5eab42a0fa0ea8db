"""A server that does each thing a server may do wrong, chosen by path; over TCP, and over TLS with a choice of certificates.

/ws/…    after or instead of the WebSocket handshake      /http/…  as an answer to a call      /seen  what was asked so far
"""
import asyncio
import base64
import gzip
import hashlib
import json
import socket
import struct

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
seen = []  # (path, headers) of every request


def frame(opcode, payload=b"", final=True, reserved=0, mask=False, claim=None):
    length = len(payload) if claim is None else claim
    head = bytes([(0x80 if final else 0) | reserved << 4 | opcode])
    bit = 0x80 if mask else 0
    if length < 126:
        head += bytes([bit | length])
    elif length < 65536:
        head += bytes([bit | 126]) + struct.pack(">H", length)
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", length)
    return head + (b"\0\0\0\0" if mask else b"") + payload


def close_frame(code, reason=b""):
    return frame(8, struct.pack(">H", code) + reason)


def answer(status, body=b"", headers=(), content_type="application/json"):
    lines = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(body)}", f"Content-Type: {content_type}",
             "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


STATUS_BODIES = {
    400: {"message": "Invalid deployment"}, 401: {"message": "Unauthorized"}, 404: {"message": "Not Found"},
    429: {"error": "Request queue full"}, 502: {"error": "Backend route unavailable"},
    503: {"error": "No compute capacity for GPU type A100"}, 504: {"error": "Timed out waiting for a backend container"},
}

# After a good 101: the bytes that are sent; then TCP is closed in order, unless the name says otherwise.
AFTER_OPEN = {
    "close-without-frame": b"",
    "message-then-close-without-frame": frame(1, b'"last words"'),
    "too-large": frame(2, b"x" * 100, claim=1 << 40),
    "bad-utf8": frame(1, b'"ok"') + frame(1, b"\xff\xfe"),
    "masked": frame(1, b"{}", mask=True),
    "reserved-bits": frame(1, b"{}", reserved=4),
    "bad-opcode": frame(3, b"{}"),
    "fragmented-control": frame(9, b"ping", final=False),
    "long-control": frame(9, b"p" * 126, claim=126),
    "continuation-first": frame(0, b"{}"),
    "text-in-fragments": frame(1, b'"a', final=False) + frame(1, b'b"'),
    "close-length-1": frame(8, b"\x03"),
    "close-bad-code": close_frame(1005),
    "close-bad-reason": close_frame(1000, b"\xff"),
    "half-a-message": frame(1, b'{"half": ', claim=1000),
}


class Exchange:
    def __init__(self, reader, writer, path, headers):
        self.reader, self.writer, self.path, self.headers = reader, writer, path, headers

    def send(self, data):
        self.writer.write(data)

    def upgrade(self, accept=None, extra=b""):
        key = self.headers.get("sec-websocket-key", "")
        right = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
        self.send(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   f"Sec-WebSocket-Accept: {accept or right}\r\n").encode() + extra + b"\r\n")

    def reset(self):
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def silence(self):
        await self.reader.read()

    async def websocket(self, what):
        if what.startswith("status/"):
            return self.reject(int(what[7:]))
        if what == "redirect":
            return self.send(answer(302, headers=[("Location", f"ws://localhost:{self.port}/ws/redirected")]))
        if what == "200":
            return self.send(answer(200, b"<html>not a WebSocket</html>", content_type="text/html"))
        if what == "late-body":
            self.send(b"HTTP/1.1 429 Too Many\r\nContent-Length: 30\r\nRetry-After: 7\r\n\r\n")
            await self.writer.drain()
            await asyncio.sleep(0.05)
            return self.send(b'{"error":"Request queue full"}')
        if what == "garbage":
            return self.send(b"SSH-2.0-OpenSSH_9.2 \xff\r\n\r\n")
        if what == "hang-up":
            return None
        if what == "bad-accept":
            return self.upgrade(accept="AAAAAAAAAAAAAAAAAAAAAAAAAAA=")
        if what == "extension":
            return self.upgrade(extra=b"Sec-WebSocket-Extensions: permessage-deflate\r\n")
        if what == "silence":
            return await self.silence()
        if what == "reset-handshake":
            return self.reset()
        return await self.opened(what)

    def reject(self, status):
        body = json.dumps(STATUS_BODIES.get(status, {"error": "?"})).encode()
        retry = [("Retry-After", "7")] if status == 429 else []
        self.send(answer(status, body, retry + [("X-Task-Id", "task-1")]))

    async def opened(self, what):
        self.upgrade()
        if what == "reset-message":
            self.send(frame(1, b'{"half": ', claim=1000))
            await self.writer.drain()
            await asyncio.sleep(0.05)
            return self.reset()
        if what == "open-and-silent":
            return await self.silence()
        if what.startswith("close/"):
            self.send(close_frame(int(what[6:]), "why: ä".encode()))
        elif what == "close-empty":
            self.send(frame(8))
        elif what == "two-messages-then-error":
            self.send(frame(1, b'"one"') + frame(1, b'"two"') + frame(3))
        else:
            self.send(AFTER_OPEN[what])
        await self.writer.drain()
        if what in ("close-without-frame", "message-then-close-without-frame", "half-a-message"):
            return None
        got = await asyncio.wait_for(self.reader.read(4096), 5)
        seen.append((self.path + "#answer", {"bytes": got.hex()}))
        return None

    async def http(self, what):
        if what.startswith("status/"):
            _, status, kind = what.split("/")
            status = int(status)
            body = {"json": json.dumps(STATUS_BODIES.get(status, {"error": "it failed"})), "text": "something failed", "empty": ""}[kind]
            task = [] if status == 401 else [("X-Task-Id", "task-1")]  # refused before there is one
            return self.send(answer(status, body.encode(), task,
                                    "application/json" if kind == "json" else "text/plain"))
        if what == "redirect":
            return self.send(answer(302, headers=[("Location", f"http://localhost:{self.port}/http/redirected")]))
        if what == "truncated":
            return self.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nContent-Type: application/json\r\n\r\n{\"half\":")
        if what == "truncated-gzip":
            whole = gzip.compress(b'{"a":"' + b"x" * 10000 + b'"}')
            return self.send(answer(200, whole[: len(whole) // 2], [("Content-Encoding", "gzip")]))
        if what == "bomb":
            return self.send(answer(200, gzip.compress(b" " * (200 << 20)), [("Content-Encoding", "gzip")]))
        if what == "gzip":
            return self.send(answer(200, gzip.compress(b'{"packed":true}'), [("Content-Encoding", "gzip")]))
        if what == "invalid-json":
            return self.send(answer(200, b'{"half": '))
        if what == "validation":
            return self.send(answer(200, b'{"error":"ValidationError","message":"x is missing","field":"x"}'))
        if what == "garbage":
            return self.send(b"\x00\x01 no HTTP \xff\r\n\r\n")
        if what == "silence":
            return await self.silence()
        if what == "reset":
            return self.reset()
        if what == "hang-up":
            return None
        return self.send(answer(200, b'{"ok":true}'))

    async def serve(self):
        self.port = self.writer.get_extra_info("sockname")[1]
        length = int(self.headers.get("content-length", 0))
        if length:
            await self.reader.readexactly(length)
        if self.path == "/seen":
            self.send(answer(200, json.dumps(seen).encode()))
        elif self.path.startswith("/ws/"):
            await self.websocket(self.path[4:])
        else:
            await self.http(self.path[6:])


async def connection(reader, writer):
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        path = head[0].split(" ")[1].split("?")[0]
        headers = dict((line.split(":", 1)[0].lower(), line.split(":", 1)[1].strip()) for line in head[1:] if ":" in line)
        if path != "/seen":
            seen.append((head[0].split(" ")[1], headers))
        await Exchange(reader, writer, path, headers).serve()
    except (OSError, EOFError, asyncio.TimeoutError):
        pass
    finally:
        if not writer.is_closing():
            writer.close()


def black_hole():
    """A port whose connections hang: its queue of one is full, so that the kernel drops every further SYN."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    fillers = []
    for _ in range(3):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
        fillers.append(filler)
    return listener, fillers


async def mute(reader, writer):
    """Accepts and says nothing: as TLS, a handshake that stalls."""
    try:
        await reader.read()
    except OSError:
        pass
    writer.close()
