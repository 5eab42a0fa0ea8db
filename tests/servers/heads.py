"""A server and proxies whose heads are as HTTP allows them, and some that it does not: raw sockets, a case a path or a port.

Prints NAME=PORT lines, `server` and one for each proxy, then "ready"; ends when nobody reads its output any more.
"""
import base64
import gzip
import hashlib
import re
import select
import socket
import struct
import sys
import threading
import time

PAUSE = 0.02  # between the pieces that must come one by one
HELLO = b'{"hello":1}'
FRAME = bytes([0x81, len(HELLO)]) + HELLO
NL = b"\r\n"


def read_head(peer):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = peer.recv(1)
        if not byte:
            raise OSError("no head")
        head += byte
    return head


def accept_of(head):
    key = re.search(rb"(?im)^sec-websocket-key: *(\S+)", head).group(1)
    return base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())


def switch(head, *more, line=b"HTTP/1.1 101 Switching Protocols", upgrade=b"Upgrade: websocket", connection=b"Connection: Upgrade", end=NL):
    lines = [line, upgrade, connection, b"Sec-WebSocket-Accept: " + accept_of(head), *more]
    return end.join(part for part in lines if part) + end + end


def answer(status, body=b'{"error":"no"}', *more):
    return NL.join([b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), b"Connection: close", *more]) + NL + NL + body


def interim(count):
    return b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * count


def filled(head, size):
    """A 101 whose head is this long, in lines of up to 8,000 bytes."""
    bare, lines = len(switch(head)), []
    left = size - bare
    while left > 0:
        take = left if left <= 8000 else min(8000, left - 100)
        lines.append(b"X-Filler: " + b"x" * (take - 12))
        left -= take
    return switch(head, *lines)


# What is sent for a path: the pieces, each in a segment of its own.
SERVED = {
    "plain": lambda head: [switch(head) + FRAME],
    "interim": lambda head: [b"HTTP/1.1 100 Continue\r\n\r\n" + interim(2) + switch(head) + FRAME],
    "interim-apart": lambda head: [b"HTTP/1.1 102 Processing\r\n", b"\r\n", interim(1), b"HTTP/1.1 199\n\n", switch(head), FRAME],
    "interim-401": lambda head: [interim(2), answer(b"401 Unauthorized", b'{"message":"Unauthorized"}')],
    "interim-32": lambda head: [interim(32) + switch(head) + FRAME],
    "interim-33": lambda head: [interim(33) + switch(head) + FRAME],
    "length-0": lambda head: [switch(head, b"Content-Length: 0") + FRAME],
    "length-12": lambda head: [switch(head, b"Content-Length: 12"), FRAME],
    "chunked": lambda head: [switch(head, b"Transfer-Encoding: chunked") + FRAME],
    "connections": lambda head: [switch(head, b"Connection: Upgrade", connection=b"Connection: keep-alive") + FRAME],
    "empty-elements": lambda head: [switch(head, connection=b"connection: ,, UPGRADE ,") + FRAME],
    "upgrades": lambda head: [switch(head, b"Upgrade: WebSocket", upgrade=b"Upgrade:") + FRAME],
    "no-extension": lambda head: [switch(head, b"Sec-WebSocket-Extensions:", b"Sec-WebSocket-Extensions: ,") + FRAME],
    "protocol": lambda head: [switch(head, b"Sec-WebSocket-Protocol:", b"Sec-WebSocket-Protocol: b") + FRAME],
    "no-reason": lambda head: [switch(head, line=b"HTTP/1.1 101") + FRAME],
    "lf": lambda head: [switch(head, end=b"\n") + FRAME],
    "bytes": lambda head: [bytes([byte]) for byte in switch(head) + FRAME],
    "capitals": lambda head: [switch(head, b"X-TASK-ID: I-1", upgrade=b"UPGRADE: WEBSOCKET", connection=b"CONNECTION: UPGRADE") + FRAME],
    "64k": lambda head: [filled(head, 65536) + FRAME],
    "64k-apart": lambda head: [filled(head, 65536)[:30000], filled(head, 65536)[30000:], FRAME],
    "over": lambda head: [filled(head, 65537) + FRAME],
    "folded": lambda head: [switch(head, b"X-Folded: a", b" b")[:-2]],  # and then nothing: it is told at once
    "two-protocols": lambda head: [switch(head, b"Sec-WebSocket-Protocol: a", b"Sec-WebSocket-Protocol: b")],
    "extension": lambda head: [switch(head, b"Sec-WebSocket-Extensions:", b"Sec-WebSocket-Extensions: x")],
    "200": lambda head: [answer(b"200 OK", b"{}")],
    "400": lambda head: [answer(b"400 Bad Request")],
    "426": lambda head: [answer(b"426 Upgrade Required", b"{}", b"Upgrade: websocket")],
    "403": lambda head: [answer(b"403 Forbidden")],
    "call": lambda head: [answer(b"200 OK", gzip.compress(b'{"i":0.5}'), b"CONTENT-TYPE: APPLICATION/JSON", b"CONTENT-ENCODING: GZIP",
                                 b"X-TASK-ID: I-1")],
}

# What a proxy says to CONNECT, in pieces; None: it says nothing more and leaves.
ANSWERED = {
    "plain": [b"HTTP/1.1 200 Connection established\r\n\r\n"],
    "bytes": [bytes([byte]) for byte in b"HTTP/1.0 200 OK\r\nVia: 1.0 x\r\n\r\n"],
    "no_reason": [b"HTTP/1.1 200\r\n\r\n"],
    "any_2xx": [b"HTTP/1.1 299 Fine\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"],
    "interim": [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Wait\r\nA: b\r\n\r\nHTTP/1.1 2", b"00 OK\r\n\r\n"],
    "lf": [b"HTTP/1.1 200 OK\n\n"],
    "large": [b"HTTP/1.1 200 OK\r\nX: " + b"x" * 60000 + b"\r\n\r\n"],
    "403": [answer(b"403 Forbidden", b"<h1>no</h1>")],
    "407": [answer(b"407 Proxy Authentication Required", b"", b'Proxy-Authenticate: Basic realm="x"')],
    "407_bytes": [bytes([byte]) for byte in answer(b"407 ", b"", b'Proxy-Authenticate: Basic realm="x"')],
    "502": [b"HTTP/1.1 502\r\n\r\n"],
    "garbage": [b"220 mail.test ESMTP\r\n"],
    "gone": [],
}


def send(peer, pieces):
    for piece in pieces:
        peer.sendall(piece)
        time.sleep(PAUSE if len(pieces) < 10 else 0.001)


def serve(peer):
    head = read_head(peer)
    path = head.split(b" ")[1].decode().strip("/")
    send(peer, SERVED[path](head))
    if path == "folded":
        time.sleep(5)
    peer.settimeout(5)
    while b"Upgrade" in head and peer.recv(4096):  # a close frame, or the end
        if path != "over":
            peer.sendall(struct.pack(">BBH", 0x88, 2, 1000))
            return


def pump(source, sink):
    try:
        while True:
            data = source.recv(65536)
            if not data:
                break
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def proxy(name, server):
    def talk(peer):
        head = read_head(peer)
        if not head.startswith(b"CONNECT "):
            peer.sendall(answer(b"400 Bad Request"))
            return
        send(peer, ANSWERED[name])
        if b" 2" not in b"".join(ANSWERED[name])[:200]:
            time.sleep(0.1)
            return
        far = socket.create_connection(("127.0.0.1", server))
        threading.Thread(target=pump, args=(far, peer), daemon=True).start()
        pump(peer, far)

    return talk


def listen(talk):
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def one(peer):
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            talk(peer)
        except OSError:
            pass
        finally:
            peer.close()

    def accept():
        while True:
            threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


if __name__ == "__main__":
    server = listen(serve)
    print(f"server={server}")
    for name in ANSWERED:
        print(f"proxy_{name}={listen(proxy(name, server))}")
    print("ready", flush=True)
    watch = select.poll()
    watch.register(sys.stdout, select.POLLERR)
    watch.poll()
