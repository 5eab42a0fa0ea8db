"""HTTP/2 by hand: the first connection of each server answers one request, waits for four more, and then does what no library does on
purpose. The connections after it answer all. Counts the requests by the server's name.
"""
import asyncio
import socket
import struct

DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY = 0, 1, 3, 4, 7
END_STREAM, ACK, END_HEADERS = 1, 1, 4
INTERNAL_ERROR, REFUSED_STREAM, HTTP_1_1_REQUIRED = 2, 7, 13
STATUS_200 = b"\x88"  # HPACK: in its static table


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def answer(stream):
    return frame(HEADERS, END_HEADERS, stream, STATUS_200) + frame(DATA, END_STREAM, stream, b"{}")


def goaway(last):
    return frame(GOAWAY, 0, 0, struct.pack(">II", last, 0))


def reset(streams, code):
    return b"".join(frame(RST_STREAM, 0, stream, struct.pack(">I", code)) for stream in streams)


def broken(streams):
    return reset(streams, INTERNAL_ERROR)


# What is said of the four, then how the connection ends.
SERVERS = {
    "h2_leaves": (lambda streams: goaway(streams[0] - 2), "open"),
    "h2_leaves_and_ends": (lambda streams: goaway(streams[0] - 2), "end"),
    "h2_leaves_and_resets": (lambda streams: goaway(streams[0] - 2), "reset"),
    "h2_refuses": (lambda streams: reset(streams, REFUSED_STREAM), "open"),
    "h2_wants_http1": (lambda streams: reset(streams, HTTP_1_1_REQUIRED), "open"),
    "h2_breaks": (broken, "open"),
    "h2_breaks_and_ends": (broken, "end"),
    "h2_breaks_and_resets": (broken, "reset"),
    "h2_breaks_two_and_ends": (lambda streams: broken(streams[:2]) + goaway(streams[1]), "end"),
}


def end(writer, how):
    if how == "end":
        writer.get_extra_info("socket").shutdown(socket.SHUT_WR)  # without a word of TLS
    elif how == "reset":
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()


async def requests(reader, writer):
    """Their streams, as each is complete."""
    await reader.readexactly(len(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
    writer.write(frame(SETTINGS, 0, 0))
    while True:
        head = await reader.readexactly(9)
        kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big")
        await reader.readexactly(int.from_bytes(head[:3], "big"))
        if kind == SETTINGS and not flags & ACK:
            writer.write(frame(SETTINGS, ACK, 0))
        if kind in (HEADERS, DATA) and flags & END_STREAM:
            yield stream


async def serve_http1(reader, writer, count):
    while True:
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(len(b"{}"))
        count()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


def server(name, counts):
    say, how = SERVERS[name]
    connections = 0

    def count():
        counts[name] = counts.get(name, 0) + 1

    async def serve(reader, writer):
        nonlocal connections
        connections += 1
        first, waiting = connections == 1, []
        try:
            if writer.get_extra_info("ssl_object").selected_alpn_protocol() != "h2":
                await serve_http1(reader, writer, count)
            async for stream in requests(reader, writer):
                count()
                if not first or stream == 1:
                    writer.write(answer(stream))
                    continue
                waiting.append(stream)
                if len(waiting) == 4:
                    writer.write(say(waiting))
                    await writer.drain()
                    end(writer, how)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()
    return serve
