"""A server whose streams are what the request says, for spec/http/stream_spec.lua, and which takes uploads (tests/core/http/http_uploads.py). Prints
NAME=VALUE lines, then "ready"; ends when its output is closed.

    POST /stream  {"pieces": ["data: 1\\n\\n", …], "type": "text/plain", "pause": seconds between them, "status": 200, "end": "cut"|"open"}
    POST /flood   {"mib": 32, "type": …, "item": text that is repeated}    counted in /count?of=flooded as the socket takes it
    GET  /count?of=NAME                                                     also "streaming": streams that are open now
"""
import asyncio
import json
import os
import select
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "core", "http"))
import http_uploads  # noqa: E402

counts = http_uploads.counts
counts.update(streaming=0, flooded=0)
answer_uploads = http_uploads.respond


async def read_input(body):
    text = b""
    while data := await body.read():
        text += data
    return json.loads(text)


def begin(writer, told):
    head = f"HTTP/1.1 {told.get('status', 200)} Text\r\nTransfer-Encoding: chunked\r\nX-Task-Id: task-1\r\n"
    writer.write((head + f"Content-Type: {told.get('type', 'text/plain')}\r\n\r\n").encode())


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data) if data else b""


async def stream(told, reader, writer):
    begin(writer, told)
    for piece in told["pieces"]:
        writer.write(chunk(piece.encode()))
        await writer.drain()
        await asyncio.sleep(told.get("pause", 0))
    if told.get("end") == "open":
        await reader.read()
    if told.get("end"):
        return True
    writer.write(b"0\r\n\r\n")
    return False


async def flood(told, writer):
    begin(writer, told)
    item = told.get("item", "x").encode()
    block = item * (65536 // len(item))
    counts["flooded"] = 0
    while counts["flooded"] < told["mib"] << 20:
        writer.write(chunk(block))
        await writer.drain()
        counts["flooded"] += len(block)
    writer.write(b"0\r\n\r\n")
    return False


async def respond(path, query, fields, body, writer):
    if path not in ("/stream", "/flood"):
        return await answer_uploads(path, query, fields, body, writer)
    told = await read_input(body)
    counts["streaming"] += 1
    try:
        return await (stream(told, body.reader, writer) if path == "/stream" else flood(told, writer))
    finally:
        counts["streaming"] -= 1


async def reader_gone():
    poll = select.poll()
    poll.register(sys.stdout.fileno(), select.POLLERR)
    while not poll.poll(0):
        await asyncio.sleep(0.1)


async def main():
    http_uploads.respond = respond
    server = await asyncio.start_server(http_uploads.serve, "127.0.0.1", 0)
    print(f"port={server.sockets[0].getsockname()[1]}\nready", flush=True)
    await reader_gone()
    os._exit(0)


asyncio.run(main())
