#!/bin/sh
# lua-socket 3.1.0-1+b1 (Debian 12).
# Guess: interim answers (1xx) are read and passed over; the answer is what comes after them. 100 is treated so.
# Seen: any other is taken for the answer: 102 of a server that asks for patience, 103 (early hints) of hypercorn, Apache, Caddy or a CDN. The
# call succeeds with status 103 and no body, and the real answer, already on its way, is thrown away with the connection.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download lua-socket=3.1.0-1+b1 lua5.4=5.4.4-3+deb12u1 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >server.py <<'END'
import socket
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    for interim in ("100 Continue", "102 Processing", "103 Early Hints"):
        connection, _ = server.accept()
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            request += connection.recv(65536)
        connection.sendall(f"HTTP/1.1 {interim}\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer".encode())
        connection.close()
END
cat >program.lua <<'END'
local http = require "socket.http"
local port = io.read("l")
for _, interim in ipairs { "100", "102", "103" } do
  local body, status = http.request("http://127.0.0.1:" .. port .. "/")
  print(("after %s: status %s, body '%s'"):format(interim, status, body))
end
END
modules=$(echo root/usr/lib/*/lua/5.4)
timeout 20 python3 server.py | LUA_PATH="root/usr/share/lua/5.4/?.lua" LUA_CPATH="$modules/?.so" timeout 10 root/usr/bin/lua5.4 program.lua | tee seen
printf "after %s: status %s, body '%s'\n" 100 200 answer 102 102 '' 103 103 '' | cmp - seen
