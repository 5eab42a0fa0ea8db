"""The server of the upload tests (tests/core/http/http_upload_test.c, spec/http/upload_spec.lua): takes bodies of both framings, slowly, or not to their end.
Parameters of a path stand in its query.
"""
import asyncio
import json
import socket
import struct
import zlib
from urllib.parse import parse_qs, urlsplit

PIECE = 65536
counts = {"taken": 0}
held = []


class Body:
    """What the client sends after a head."""

    def __init__(self, reader, fields):
        self.reader = reader
        self.chunked = fields.get("transfer-encoding") == "chunked"
        self.left = int(fields.get("content-length", 0))
        self.over = not self.chunked and not self.left

    async def next_chunk(self):
        self.left = int(await self.reader.readuntil(b"\r\n"), 16)
        if not self.left:
            self.over = True
            await self.reader.readexactly(2)

    async def read(self):
        if self.chunked and not self.left and not self.over:
            await self.next_chunk()
        if self.over:
            return b""
        data = await self.reader.read(min(self.left, PIECE))
        if not data:
            raise ConnectionError
        self.left -= len(data)
        counts["taken"] += len(data)
        if self.chunked and not self.left:
            await self.reader.readexactly(2)
        elif not self.left:
            self.over = True
        return data

    async def all(self):
        length, check = 0, 0
        while data := await self.read():
            length, check = length + len(data), zlib.crc32(data, check)
        return length, check


def answer(status, body, extra=()):
    head = [f"HTTP/1.1 {status} Text", f"Content-Length: {len(body)}", "Content-Type: application/json", *extra]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def reset(writer):
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def take(body, fields, writer):
    length, check = await body.all()
    fields.update(length=length, crc=check, chunked=body.chunked)
    writer.write(answer(200, json.dumps(fields).encode()))


async def early(body, query, writer):
    """Answers after some bytes; then goes away, breaks off, or reads on and throws away. True: the connection is over."""
    after = int(query.get("after", 0))
    while after > 0 and (data := await body.read()):
        after -= len(data)
    text = b'{"message":"Unauthorized"}'
    close = "close" in query
    length = "" if "unsized" in query else f"Content-Length: {len(text)}\r\n"
    close_header = "Connection: close\r\n" if close or not length else ""
    writer.write(f"HTTP/1.1 {query['status']} Text\r\n{length}{close_header}\r\n".encode())
    if "late" in query:
        await asyncio.sleep(0.1)
    writer.write(text)
    await writer.drain()
    if "reset" in query:
        await asyncio.sleep(0.1)
        reset(writer)
        return True
    if "linger" in query:
        if close:
            writer.write_eof()
        while await body.read():
            pass
        counts["lingered"] = counts.get("lingered", 0) + 1
        return close
    return True


async def echo(body, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while data := await body.read():
        writer.write(b"%x\r\n%s\r\n" % (len(data), data))
        await writer.drain()
    writer.write(b"0\r\n\r\n")


async def respond(path, query, fields, body, writer):
    """True: the connection is over."""
    if path == "/take":
        await take(body, fields, writer)
    elif path == "/hold":  # reads nothing before /release
        held.append(asyncio.Event())
        await held[-1].wait()
        await take(body, fields, writer)
    elif path == "/release":
        while held:
            held.pop().set()
        writer.write(answer(200, b"{}"))
    elif path == "/early":
        return await early(body, query, writer)
    elif path == "/echo":
        await echo(body, writer)
    elif path == "/reset":
        await body.read()
        reset(writer)
        return True
    elif path == "/flaky":  # 503 at first, then as /take
        if counts[path] <= int(query["failures"]):
            await body.all()
            writer.write(answer(503, b'{"error":"No compute capacity for GPU type"}'))
        else:
            await take(body, fields, writer)
    elif path == "/count":
        writer.write(answer(200, str(counts.get(query["of"], 0)).encode()))
    else:
        writer.write(answer(404, b"{}"))
    return False


async def serve(reader, writer):
    writer.transport.set_write_buffer_limits(0)
    counts["connections"] = counts.get("connections", 0) + 1
    try:
        over = False
        while not over:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, target = lines[0].split(" ")[:2]
            fields = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:] if ": " in line)}
            path, query = urlsplit(target).path, parse_qs(urlsplit(target).query, keep_blank_values=True)
            counts[path] = counts.get(path, 0) + 1
            over = await respond(path, {name: values[0] for name, values in query.items()}, {"method": method, **fields},
                                 Body(reader, fields), writer)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, ValueError):
        pass
    finally:
        writer.close()
