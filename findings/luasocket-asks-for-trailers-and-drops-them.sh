#!/bin/sh
# lua-socket 3.1.0-1+b1 (Debian 12).
# Guess: a client that sends "TE: trailers" with each request hands on the trailers that it asks for.
# Seen: they are read and dropped; the headers have the field Trailer, which announces them, and nothing of what it announced. A checksum, a
# status after a stream (gRPC-Web, Server-Timing) cannot be had.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download lua-socket=3.1.0-1+b1 lua5.4=5.4.4-3+deb12u1 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >server.py <<'END'
import socket, sys
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    connection, _ = server.accept()
    request = b""
    while not request.endswith(b"\r\n\r\n"):
        request += connection.recv(65536)
    asked = b"te: trailers" in request.lower()
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Check\r\n\r\n6\r\nanswer\r\n0\r\nX-Check: 42\r\n\r\n")
    print(f"asked for trailers: {asked}", file=sys.stderr)
    connection.close()
END
cat >program.lua <<'END'
local body, status, headers = require("socket.http").request("http://127.0.0.1:" .. io.read("l") .. "/")
print(("%s, %s, trailer: %s, x-check: %s"):format(status, body, headers.trailer, headers["x-check"]))
END
modules=$(echo root/usr/lib/*/lua/5.4)
timeout 20 python3 server.py 2>asked | LUA_PATH="root/usr/share/lua/5.4/?.lua" LUA_CPATH="$modules/?.so" timeout 10 root/usr/bin/lua5.4 program.lua >seen
cat asked seen | tee both
printf '%s\n' 'asked for trailers: True' '200, answer, trailer: X-Check, x-check: nil' | cmp - both
