"""The servers of the HTTP tests: one that answers each path in its own right or wrong way, the same behind TLS with good and
bad certificates, proxies, and nginx for HTTP/2. Prints NAME=VALUE lines, then "ready"; ends when its output is closed.
"""
import asyncio
import gzip
import os
import select
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import warnings
import zlib
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "servers"))
import certificates  # noqa: E402
import http2  # noqa: E402
import http_uploads  # noqa: E402
from ports import free_port  # noqa: E402

counts = {"connections": 0, "flood": 0}
NGINX = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 512; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; ssl_certificate {folder}/good.pem; ssl_certificate_key {folder}/good.key;
  server {{
    listen 127.0.0.1:{h2} ssl http2; keepalive_requests 100000;
    location / {{ return 200 '$server_protocol $connection $http_authorization'; }}
    location /slow {{ proxy_pass http://127.0.0.1:{plain}; }}
    location /take {{ proxy_pass http://127.0.0.1:{upload}; client_max_body_size 0; proxy_request_buffering off; proxy_http_version 1.1; }}
    location /limited {{ proxy_pass http://127.0.0.1:{upload}/take; client_max_body_size 100k; }}
  }}
  server {{
    listen 127.0.0.1:{goaway} ssl http2; keepalive_requests 20; lingering_timeout 60s;
    location / {{ return 200 '$server_protocol $connection'; }}
  }}
  server {{
    listen 127.0.0.1:{mutual} ssl; ssl_client_certificate {folder}/ca.pem; ssl_verify_client on;
    location / {{ return 200 '$ssl_client_s_dn'; }}
  }}
}}
"""


def answer(status=200, body=b"", kind="application/json", extra=()):
    head = [f"HTTP/1.1 {status} Text", f"Content-Length: {len(body)}", f"Content-Type: {kind}", *extra]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def coded(body, coding):
    return answer(body=body, kind="text/plain", extra=[f"Content-Encoding: {coding}"])


def compress(data, bits):
    packer = zlib.compressobj(wbits=bits)
    return packer.compress(data) + packer.flush()


def bomb(mib):
    packer, block = zlib.compressobj(9, wbits=31), bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(mib)) + packer.flush()


TEXT = b"The quick brown fox. " * 1000
PACK = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress}


def listed(query):
    """TEXT in the codings of each `e`, a line of the header each; `inner` zeros after it and `outer` ones at the end, all but `cut` bytes."""
    body, lines = TEXT, query.get("e", [])
    for nth, name in enumerate(part.strip().lower() for line in lines for part in line.split(",")):
        body = PACK.get(name, bytes)(body)
        if nth == 0:
            body += bytes(int(query.get("inner", ["0"])[0]))
    body += bytes(int(query.get("outer", ["0"])[0])) + query.get("end", [""])[0].encode()
    body = body[:len(body) - int(query.get("cut", ["0"])[0])]
    return answer(body=body, kind="text/plain", extra=[f"Content-Encoding: {line}" for line in lines])


FIXED = {
    "/gzip": lambda: coded(gzip.compress(TEXT), "gzip"),
    "/x-gzip": lambda: coded(gzip.compress(TEXT), "x-gzip"),
    "/members": lambda: coded(gzip.compress(TEXT[:7000]) + gzip.compress(TEXT[7000:]), "gzip"),
    "/deflate": lambda: coded(zlib.compress(TEXT), "deflate"),
    "/rawdeflate": lambda: coded(compress(TEXT, -15), "deflate"),
    "/truncated-gzip": lambda: coded(gzip.compress(TEXT)[:-5], "gzip"),
    "/truncated-deflate": lambda: coded(zlib.compress(TEXT)[:-3], "deflate"),
    "/bad-gzip": lambda: coded(b"this is no gzip at all", "gzip"),
    "/gzip-rubbish-after": lambda: coded(gzip.compress(TEXT) + b"more", "gzip"),
    "/empty-gzip": lambda: coded(b"", "gzip"),
    "/brotli": lambda: coded(b"\x0b\x02\x80abc\x03", "br"),
    "/no-body/brotli": lambda: b"HTTP/1.1 304 Not Modified\r\nContent-Encoding: br\r\n\r\n",
    "/transfer-gzip": lambda: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\n\x1f\r\n0\r\n\r\n",
    "/text": lambda: answer(body=TEXT, kind="text/plain"),
    "/badchunk": lambda: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n",
    "/conflict": lambda: b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\nhello, all",
    "/badlength": lambda: b"HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nhello",
    "/badline": lambda: answer(body=b"{}", extra=["this is no header"]),
    "/garbage": lambda: b"SSH-2.0-not a web server\r\n" * 20,
    "/interim": lambda: b"HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n" + answer(body=b"{}", extra=["X-Final: 1"]),
    "/folded": lambda: answer(body=b"{}", extra=["X-Folded: one", "  two", "X-Empty:", "X-Twice: 1", "X-Twice: 2"]),
    "/redirect": lambda: answer(302, extra=["Location: /redirected"]),
    "/long-header": lambda: answer(extra=["X-Long: " + "x" * 150000]),
    "/many-headers": lambda: answer(extra=[f"X-{i}: " + "x" * 1000 for i in range(290)]),
    "/nothing": lambda: b"HTTP/1.1 204 No Content\r\n\r\n",
}
BROKEN_OFF = {
    "/short": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
    "/huge-length": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhello",
    "/cutchunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "/cuthead": b"HTTP/1.1 200 OK\r\nContent-Le",
    "/close": b"",
    "/until-close": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nno length",
    "/badchunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n",
}


def reset(writer):
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def chunked(writer):
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Late\r\n\r\n")
    for part in (b"one ", b"two ", b"three"):
        writer.write(b"%x\r\n%s\r\n" % (len(part), part))
        await writer.drain()
        await asyncio.sleep(0.02)
    writer.write(b"0\r\nX-Late: trailer\r\n\r\n")


async def flood(writer):
    """32 MiB, counted as the socket takes them."""
    block = bytes(65536)
    counts["flood"] = 0
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (512 * len(block)))
    writer.transport.set_write_buffer_limits(0)
    for _ in range(512):
        writer.write(block)
        await writer.drain()
        counts["flood"] += len(block)


async def special(path, query, writer, nth):
    """Paths that need time, or the connection's history. True where the connection is over."""
    if path == "/chunked":
        await chunked(writer)
    elif path == "/flood":
        await flood(writer)
    elif path == "/slow":
        await asyncio.sleep(float(query.get("s", ["0.3"])[0]))
        writer.write(answer(body=b"{}"))
    elif path == "/silent":
        await asyncio.sleep(30)
    elif path == "/stall":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart")
        await asyncio.sleep(30)
    elif path == "/reset":
        reset(writer)
        return True
    elif path == "/fresh-only":  # answered on a fresh connection; on a kept one the server dies with the request in hand
        if nth == 1:
            writer.write(answer(body=b"{}"))
        else:
            return True
    elif path == "/leave":  # answered, and closed while the client keeps the connection
        writer.write(answer(body=b"{}"))
        await writer.drain()
        await asyncio.sleep(0.02)
        return True
    elif path == "/count":
        writer.write(answer(body=str(counts.get(query["of"][0], 0)).encode(), kind="text/plain"))
    elif path.startswith("/status/"):
        body = query.get("body", [""])[0].encode()
        writer.write(answer(int(path[8:]), body, query.get("type", ["application/json"])[0]))
    elif path == "/listed":
        writer.write(listed(query))
    elif path == "/bomb":
        writer.write(coded(bomb(int(query["mib"][0])), "gzip"))
    else:
        writer.write(answer(404, b'{"error":"no such path"}'))
    return False


async def read_request(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:] if ": " in line)
    length = next((int(value) for name, value in fields.items() if name.lower() == "content-length"), 0)
    return head, await reader.readexactly(length)


async def send_early(path, writer):
    """An answer, and then what nobody has asked for: at once or later, the end of the connection behind it or not."""
    gone = answer(408, b'{"error":"idle for too long"}', extra=["Connection: close"])
    first = b"HTTP/1.1 204 No Content\r\n\r\n" if "empty" in path else answer(body=b"{}")
    if "records" in path:
        writer.writelines([first, gone])  # over TLS two records, in one piece
    else:
        writer.write(first + (gone if "at-once" in path else b""))
    await writer.drain()
    await asyncio.sleep(0.03)
    if "later" in path:
        writer.write(gone)
        await writer.drain()
    counts["early"] = counts.get("early", 0) + 1
    return "close" in path


async def serve(reader, writer):
    counts["connections"] += 1
    port = f"at {writer.get_extra_info('sockname')[1]}"
    counts[port] = counts.get(port, 0) + 1
    nth = 0
    try:
        while True:
            head, body = await read_request(reader)
            nth += 1
            method, target = head.decode("latin-1").split(" ")[:2]
            path, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
            counts[path] = counts.get(path, 0) + 1
            if path == "/echo":
                writer.write(answer(body=b"" if method == "HEAD" else head + body, kind="text/plain"))
            elif path in BROKEN_OFF:
                writer.write(BROKEN_OFF[path])
                break
            elif path in FIXED:
                whole = FIXED[path]()
                writer.write(whole[:whole.index(b"\r\n\r\n") + 4] if method == "HEAD" else whole)
            elif path.startswith("/early"):
                if await send_early(path, writer):
                    break
            elif path == "/who":
                writer.write(answer(body=str(writer.get_extra_info("peercert", {}).get("subject", "")).encode()))
            elif await special(path, query, writer, nth):
                break
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, ValueError):
        pass
    finally:
        writer.close()


# ---- Proxies ----

async def copy(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    writer.close()


def proxy(credentials):
    async def connection(reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            return
        counts["proxied"] = counts.get("proxied", 0) + 1
        port = f"at {writer.get_extra_info('sockname')[1]}"
        counts[port] = counts.get(port, 0) + 1
        method, target = head.split(" ")[:2]
        if method == "CONNECT" and "\r\nauthorization:" in head.lower():
            counts["leaked"] = counts.get("leaked", 0) + 1
        if credentials and f"Proxy-Authorization: Basic {credentials}\r\n" not in head:
            writer.write(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\nConnection: close\r\nProxy-Authenticate: Basic realm=x\r\n\r\n")
            writer.close()
            return
        address = target if method == "CONNECT" else urlsplit(target).netloc
        host, port = address.rsplit(":", 1)
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1" if host == "far.test" else host, int(port))
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Go\r\nX-Proxy: 1\r\n\r\n")
        else:
            parts = urlsplit(target)
            to_writer.write(head.replace(target, parts.path or "/", 1).encode("latin-1"))
        await asyncio.gather(copy(reader, to_writer), copy(to_reader, writer))
    return connection


async def mute(_reader, writer):
    await asyncio.sleep(60)
    writer.close()


async def banner(_reader, writer):
    writer.write(b"220 no TLS here\r\n")
    await asyncio.sleep(1)
    writer.close()


# ---- All of them ----

def say(name, value):
    print(f"{name}={value}", flush=True)


def black_hole():
    """A port whose backlog is full: connecting to it hangs."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    fillers = []
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
        fillers.append(filler)
    return [listener, *fillers]


async def listen(name, handler, **options):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)  # else the kernel may take all of an upload, unread
    listener.bind(("127.0.0.1", 0))
    server = await asyncio.start_server(handler, sock=listener, **options)
    say(name, server.sockets[0].getsockname()[1])
    return server.sockets[0].getsockname()[1]


async def start_http2(folder):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/good.pem", f"{folder}/good.key")
    context.set_alpn_protocols(["h2"])
    for name in http2.SERVERS:
        await listen(name, http2.server(name, counts), ssl=context)


async def start_tls(folder):
    for name in ("good", "selfsigned", "expired", "elsewhere", "unknown"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{folder}/{name}.pem", f"{folder}/{name}.key")
        await listen(f"tls_{name}", serve, ssl=context)
        if name == "good":
            await listen("upload_tls", http_uploads.serve, ssl=context)
    asking = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    asking.load_cert_chain(f"{folder}/good.pem", f"{folder}/good.key")
    asking.load_verify_locations(f"{folder}/ca.pem")
    asking.verify_mode = ssl.CERT_REQUIRED
    await listen("tls_asking", serve, ssl=asking)
    warnings.simplefilter("ignore", DeprecationWarning)  # an old version is the point
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    old.load_cert_chain(f"{folder}/good.pem", f"{folder}/good.key")
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    await listen("tls_old", serve, ssl=old)


def start_nginx(folder, ports):
    with open(f"{folder}/nginx.conf", "w") as config:
        config.write(NGINX.format(folder=folder, **ports))
    log = open(f"{folder}/nginx.out", "w")
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    return subprocess.Popen([nginx, "-p", folder, "-c", f"{folder}/nginx.conf"], stdout=log, stderr=log)


async def wait_for(port):
    for _ in range(500):
        try:
            (await asyncio.open_connection("127.0.0.1", port))[1].close()
            return
        except OSError:
            await asyncio.sleep(0.02)
    sys.exit(f"http_server.py: nothing listens on port {port}")


async def reader_gone():
    poll = select.poll()
    poll.register(sys.stdout.fileno(), select.POLLERR)
    while not poll.poll(0):
        await asyncio.sleep(0.1)


async def main(folder, children):
    certificates.make_all(folder)
    say("folder", folder)
    plain = await listen("plain", serve)
    await listen("other", serve)
    upload = await listen("upload", http_uploads.serve)
    await listen("proxy", proxy(None))
    await listen("proxy_auth", proxy("dXNlcjpwQHNz"))  # user:p@ss
    await listen("mute", mute)
    await listen("banner", banner)
    await start_tls(folder)
    await start_http2(folder)
    ports = {name: free_port() for name in ("h2", "goaway", "mutual")}
    children.append(start_nginx(folder, {"plain": plain, "upload": upload, **ports}))
    for name, port in ports.items():
        await wait_for(port)
        say(name, port)
    hole = black_hole()
    say("black_hole", hole[0].getsockname()[1])
    say("refused", free_port())
    print("ready", flush=True)
    await reader_gone()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    work, started = tempfile.mkdtemp(prefix="beam-http-"), []
    try:
        asyncio.run(main(work, started))
    finally:
        for child in started:
            child.terminate()
        for child in started:
            child.wait()
        shutil.rmtree(work, ignore_errors=True)
