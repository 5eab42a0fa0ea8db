#!/usr/bin/env python3
"""What somebody may send who means no good, and a normal client beside it. FULL=1 (make siege): in full numbers."""
import itertools
import os
import struct
import threading
import time

from siege import PATIENCE, Server, hear, main, p99, raise_limit, statuses, test

FULL = os.environ.get("FULL")
SLOW_HEADS = 1000 if FULL else 200
IDLE = 10000 if FULL else 400
CALLS = 1000 if FULL else 200


def post(*fields, body=b""):
    return b"POST /endpoint/multiply HTTP/1.1\r\nHost: localhost\r\n" + b"".join(field + b"\r\n" for field in fields) + b"\r\n" + body


# ---- Time ----


@test
def slow_heads():
    """many slow heads at a time: a normal client's p99 holds, and each of them is ended"""
    raise_limit(SLOW_HEADS + 500)
    with Server("--head-timeout", "5", "--quiet") as server:
        alone = p99([server.call() for _ in range(CALLS)])
        slow = [server.dial() for _ in range(SLOW_HEADS)]
        for connection in slow:
            connection.sendall(b"GET /endpoint/multiply HTTP/1.1\r\nX: ")
        done = threading.Event()

        def trickle():
            while not done.wait(0.2):
                for connection in slow:
                    try:
                        connection.send(b"x")
                    except OSError:
                        pass

        thread = threading.Thread(target=trickle)
        thread.start()
        meanwhile = p99([server.call() for _ in range(CALLS)])
        ends = [hear(connection, silence=PATIENCE) for connection in slow]
        done.set()
        thread.join()
        assert all(not end or statuses(end) == [408] for end in ends), [end for end in ends if end and statuses(end) != [408]][:3]
        assert sum(1 for end in ends if end) > SLOW_HEADS * 0.9, "few were told 408"
        assert meanwhile < max(4 * alone, 0.25), (alone, meanwhile)
        return f"{SLOW_HEADS} of them; p99 alone {alone * 1000:.1f} ms, meanwhile {meanwhile * 1000:.1f} ms"


@test
def slow_bodies():
    """a body that trickles is ended, one that comes slowly but steadily is not"""
    with Server("--body-timeout", "3", "--quiet") as server:
        with server.dial() as trickling, server.dial() as steady:
            trickling.sendall(post(b"Content-Length: 100000"))
            body = b'{"x":1,"pad":"' + b"x" * 60000 + b'"}'
            steady.sendall(post(b"Content-Length: %d" % len(body)))
            for start in range(0, len(body), 20000):
                steady.sendall(body[start : start + 20000])
                trickling.send(b"x")
                time.sleep(1.2)
            assert statuses(hear(steady)) == [200]
            assert statuses(hear(trickling)) == [408]


@test
def idle_connections():
    """many idle connections: others are served, little memory is held, and all of it is given back"""
    count = min(IDLE, raise_limit(IDLE + 500) - 300)
    with Server("--idle-timeout", "600", "--head-timeout", "600", "--max-connections", str(count + 100), "--quiet") as server:
        server.call()
        before, memory = server.descriptors(), server.resident()
        idle = [server.dial() for _ in range(count)]
        times = [server.call() for _ in range(CALLS)]
        held = (server.resident() - memory) / count
        assert server.descriptors() >= before + count - 2, (before, server.descriptors(), count)
        assert held < 16384, held
        for connection in idle:
            connection.close()
        deadline = time.monotonic() + PATIENCE
        while server.descriptors() > before + 1:
            assert time.monotonic() < deadline, (before, server.descriptors())
            time.sleep(0.05)
        return f"{count} of them, {held / 1024:.1f} KiB each; p99 meanwhile {p99(times) * 1000:.1f} ms"


@test
def all_places_taken():
    """more connections than there are places: who idles or dawdles gives way, a normal client is served"""
    with Server("--max-connections", "50", "--quiet") as server:
        others = []
        for number in range(300):
            connection = server.dial()
            if number % 2:
                connection.sendall(b"GET / HTTP/1.1\r\nX: ")
            others.append(connection)
            if number % 10 == 0:
                assert server.call() < PATIENCE / 2
        assert server.descriptors() < 120, server.descriptors()
        for connection in others:
            connection.close()


# ---- Size ----


@test
def giants():
    """heads, bodies and chunks without an end are cut off where their limit is"""
    with Server("--max-body", "100000", "--quiet") as server:
        memory = server.resident()
        assert statuses(server.ask(post(b"Content-Length: 100001"))) == [413]
        assert statuses(server.ask(post(b"Content-Length: 18446744073709551615"))) == [413]
        assert statuses(server.ask(post(b"Content-Length: 18446744073709551616"))) == [400]
        assert statuses(server.ask(post(b"Transfer-Encoding: chunked", body=b"ffff\r\n" + b"x" * 65535 + b"\r\n" + b"ffff\r\n" + b"x" * 65535))) == [413]
        assert statuses(server.ask(post(b"Transfer-Encoding: chunked", body=b"fffffffffffffff\r\n" + b"x" * 200000))) == [413]
        assert statuses(server.ask(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200000)) == [431]
        assert statuses(server.ask(b"GET /" + b"x" * 1000000)) == [431]
        assert statuses(server.ask(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 1000000)) == [431]
        assert server.resident() - memory < 20 << 20, server.resident() - memory
        server.call()


# ---- One request read as two ----

LENGTHS = [b"Content-Length: 5", b"Content-Length: 6", b"Content-Length: 0", b"Content-Length: +5", b"Content-Length: -5", b"Content-Length: 5, 5",
           b"Content-Length: 0x5", b"Content-Length: 5 5", b"Content-Length:", b"Content-Length: 5.0", b"Content-Length : 5", b"content-length: 05x",
           b" Content-Length: 5", b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", b"Transfer-Encoding: gzip, chunked",
           b"Transfer-Encoding: chunked, chunked", b"Transfer-Encoding: xchunked", b"Transfer-Encoding : chunked", b"Transfer-Encoding: chunked;q=1",
           b"Transfer-Encoding:\x0bchunked", b"Transfer-Encoding:", b"Transfer-Encoding: chunked, identity", b"\tTransfer-Encoding: chunked"]


@test
def conflicting_lengths():
    """each pair of lengths is refused, and what stands behind is not read as a request"""
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with Server() as server:
        count = 0
        for pair in itertools.product(LENGTHS, LENGTHS):
            for body in (b"hello", b"0\r\n\r\n"):
                answer = server.ask(post(*pair, body=body + smuggled))
                assert statuses(answer) in ([400], [501]), (pair, body, answer)
                count += 1
        assert "/smuggled" not in server.log()
        return f"{count} requests"


@test
def one_length():
    """of single lengths those that are exact are taken"""
    with Server("--quiet") as server:
        for field in LENGTHS:
            with server.dial() as connection:
                connection.sendall(post(field, body=b"hello"))
                if field == b"Content-Length: 6":
                    connection.sendall(b"!")
                assert statuses(hear(connection)) in ([400], [501]), field
        assert statuses(server.ask(post(b"Content-Length: 8", body=b'{"x":21}'))) == [200]


BAD_CHUNKS = [b"5\nhello\r\n0\r\n\r\n", b"5\r\nhello\n0\r\n\r\n", b"5\r\nhello0\r\n\r\n", b"-5\r\nhello\r\n0\r\n\r\n", b"+5\r\nhello\r\n0\r\n\r\n",
              b"0x5\r\nhello\r\n0\r\n\r\n", b"g\r\nhello\r\n0\r\n\r\n", b"\r\nhello\r\n0\r\n\r\n", b";x\r\nhello\r\n0\r\n\r\n", b"5 5\r\nhello\r\n0\r\n\r\n",
              b"00000000000000005\r\nhello\r\n0\r\n\r\n", b"5;" + b"x" * 2000 + b"\r\nhello\r\n0\r\n\r\n", b"6\r\nhello\r\n0\r\n\r\n", b"4\r\nhello\r\n0\r\n\r\n",
              b"5\r\r\nhello\r\n0\r\n\r\n", b"5\x00\r\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\n0\r\nX: \x01y\r\n\r\n", b"0\r\n" + b"X: y\r\n" * 20000]
GOOD_CHUNKS = [b'8\r\n{"x":21}\r\n0\r\n\r\n', b'1\r\n{\r\n7\r\n"x":21}\r\n0\r\n\r\n', b'8;ext="a;b"\r\n{"x":21}\r\n0\r\n\r\n', b'008\r\n{"x":21}\r\n00\r\nX: y\r\n\r\n']


@test
def chunks():
    """chunks that are not exact are refused, those that are taken"""
    with Server() as server:
        for body in BAD_CHUNKS:
            answer = server.ask(post(b"Transfer-Encoding: chunked", body=body + b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"))
            assert statuses(answer) == [400], (body[:60], answer)
        for body in GOOD_CHUNKS:
            answer = server.ask(post(b"Transfer-Encoding: chunked", body=body))
            assert statuses(answer) == [200] and answer.endswith(b'{"result":42}'), (body, answer)
        assert "/smuggled" not in server.log()


# ---- Targets ----

PATHS = ["/../../../../etc/passwd", "/output/id/../../../../etc/passwd", "/output/id/..%2f..%2f..%2fetc%2fpasswd", "/output/id/%2e%2e/%2e%2e/etc/passwd",
         "/output/id/....//....//etc/passwd", "/output/id/..\\..\\etc\\passwd", "/output/id//etc/passwd", "/output/id/%00", "/output/id/" + "%2e" * 1000,
         "//etc/passwd", "/%2e%2e/etc/passwd", "/endpoint/../output/id/x", "/endpoint/%00", "/endpoint/multiply%00", "/endpoint/multiply/../../etc/passwd",
         "/asgi/echo/../../x", "/api/v1/task/%2e%2e/x", "/api/v1/workspace/current/../../x", "/file:///etc/passwd", "*", "/%", "/%zz", "/%c0%ae%c0%ae/",
         "/endpoint/" + "a" * 5000, "/endpoint/id/..", "/function/id/%25", "/?" + "a=b&" * 3000]


@test
def paths():
    """no path leads to a file, and none harms"""
    with Server("--quiet") as server:
        for path in PATHS:
            for method in (b"GET", b"POST", b"OPTIONS", b"DELETE", b"BREW"):
                answer = server.ask(method + b" " + path.encode() + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                assert len(statuses(answer)) == 1 and statuses(answer)[0] in (200, 400, 401, 404, 405, 431), (path, answer[:200])
                assert b"root:" not in answer
                assert statuses(answer) != [200] or path.startswith("/?"), (path, answer[:200])
        server.call()


@test
def whole_urls():
    """a target in absolute form is taken by its own host, whatever Host says"""
    with Server("--quiet") as server:
        body = b'Content-Length: 8\r\n\r\n{"x":21}'
        for target, host, wanted in ((b"http://localhost/endpoint/multiply", b"localhost", 200), (b"HTTP://127.0.0.1:1/endpoint/multiply", b"evil.example", 200),
                                     (b"http://evil.example/endpoint/multiply", b"localhost", 403), (b"ftp://localhost/endpoint/multiply", b"localhost", 404),
                                     (b"http:///endpoint/multiply", b"localhost", 403)):
            answer = server.ask(b"POST " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\n" + body)
            assert statuses(answer) == [wanted], (target, host, answer)
        assert statuses(server.ask(b"CONNECT localhost:22 HTTP/1.1\r\nHost: localhost\r\n\r\n")) == [404]
        assert statuses(server.ask(b"POST /endpoint/multiply HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n" + body)) == [400]
        assert statuses(server.ask(b"POST /endpoint/multiply HTTP/1.1\r\n" + body)) == [400]


# ---- Upgrades ----

KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
UPGRADE = [b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13", KEY]


def upgrade(*fields, method=b"GET", path=b"/asgi/echo"):
    return method + b" " + path + b" HTTP/1.1\r\nHost: localhost\r\n" + b"".join(field + b"\r\n" for field in fields) + b"\r\n"


@test
def half_upgrades():
    """an upgrade that is not whole is none"""
    with Server("--quiet") as server:
        for left_out in range(4):
            answer = server.ask(upgrade(*(UPGRADE[:left_out] + UPGRADE[left_out + 1 :])))
            assert statuses(answer)[0] in (400, 404, 426), (left_out, answer)
        for fields in ([*UPGRADE[:2], b"Sec-WebSocket-Version: 12", KEY], [*UPGRADE, b"Content-Length: 5"], [*UPGRADE, KEY],
                       [*UPGRADE[:3], b"Sec-WebSocket-Key: short"], [*UPGRADE, b"Transfer-Encoding: chunked"], [*UPGRADE[:3], b"Sec-WebSocket-Key: " + b"=" * 24]):
            with server.dial() as connection:
                connection.sendall(upgrade(*fields) + b"0\r\n\r\n")
                assert 101 not in statuses(hear(connection)), fields
        for method in (b"POST", b"PUT"):
            assert 101 not in statuses(server.ask(upgrade(*UPGRADE, method=method)))
        for origin, host in ((b"http://evil.example", b"localhost"), (b"null", b"localhost"), (b"http://localhost", b"evil.example")):
            request = upgrade(*UPGRADE, b"Origin: " + origin).replace(b"Host: localhost", b"Host: " + host)
            assert statuses(server.ask(request)) == [403], (origin, host)
        server.call()


def frame(opcode, payload=b"", fin=True, mask=True, rsv=0, length=None):
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    size = len(payload) if length is None else length
    head = bytes([first, (0x80 if mask else 0) | (size if size < 126 else 126 if size < 65536 else 127)])
    head += b"" if size < 126 else struct.pack(">H", size) if size < 65536 else struct.pack(">Q", size)
    key = b"\x01\x02\x03\x04" if mask else b""
    return head + key + (bytes(byte ^ key[i % 4] for i, byte in enumerate(payload)) if mask else payload)


@test
def bad_frames():
    """frames against the rules close the connection with the right code, and nothing else"""
    cases = [(1002, frame(1, b"x", mask=False)), (1002, frame(1, b"x", rsv=4)), (1002, frame(3, b"x")), (1002, frame(0, b"x")), (1002, frame(9, b"x" * 126)),
             (1002, frame(9, b"x", fin=False)), (1002, frame(1, b"x", fin=False) + frame(1, b"y")), (1002, frame(8, b"x")), (1002, frame(8, struct.pack(">H", 1005))),
             (1007, frame(1, b"\xff\xfe")), (1007, frame(8, struct.pack(">H", 1000) + b"\xff")), (1009, frame(1, b"", length=1 << 40)),
             (1009, frame(2, b"", length=(16 << 20) + 1)), (1002, frame(2, b"", length=1 << 63))]
    with Server("--quiet") as server:
        memory = server.resident()
        for code, bytes_of in cases:
            with server.dial() as connection:
                connection.sendall(upgrade(*UPGRADE) + bytes_of)
                answer = hear(connection, silence=1)
                assert statuses(answer) == [101], answer
                assert struct.pack(">H", code) in answer.split(b"\r\n\r\n", 1)[1], (code, bytes_of[:20], answer)
        with server.dial() as connection:  # fragments without an end
            connection.sendall(upgrade(*UPGRADE) + frame(2, b"x", fin=False))
            piece = frame(0, b"x" * 65535, fin=False)
            try:
                for _ in range(400):
                    connection.sendall(piece)
            except OSError:
                pass
            assert struct.pack(">H", 1009) in hear(connection, silence=1)
        assert server.resident() - memory < 80 << 20, server.resident() - memory
        server.call()


@test
def pipelines():
    """requests sent far ahead are answered in order, and held back meanwhile"""
    with Server("--quiet") as server:
        request = post(b"Content-Length: 8", body=b'{"x":21}')
        with server.dial() as connection:
            connection.settimeout(2)
            sent = 0
            try:
                while sent < 200000:
                    sent += connection.send(request * 100)
            except OSError:
                pass
            answer = hear(connection, silence=2, limit=1 << 24)
            assert set(statuses(answer)) == {200} and len(statuses(answer)) >= 100, len(statuses(answer))
        server.call()


if __name__ == "__main__":
    main()
