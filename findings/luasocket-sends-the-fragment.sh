#!/bin/sh
# lua-socket 3.1.0-1+b1 (Debian 12).
# Guess: the parts of a URL end where RFC 3986 ends them: an address at "/", "?" or "#", and a fragment stays with the client.
# Seen: "http://host:port?query" makes the query a part of the port ("service not supported for socket type"), and a fragment is sent to the
# server in the request line, which answers 404 or 400 for it. And of "user%40a:p%40b@" the password is unescaped, the user name is not.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download lua-socket=3.1.0-1+b1 lua5.4=5.4.4-3+deb12u1 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >server.py <<'END'
import base64, re, socket, sys
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    for _ in range(2):
        connection, _ = server.accept()
        request = ""
        while not request.endswith("\r\n\r\n"):
            request += connection.recv(65536).decode()
        login = re.search("Basic (.*)\r", request)
        print(request.split("\r")[0], base64.b64decode(login[1]).decode() if login else "", file=sys.stderr)
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        connection.close()
END
cat >program.lua <<'END'
local http = require "socket.http"
local port = io.read("l")
http.request("http://127.0.0.1:" .. port .. "/path#part")
http.request("http://user%40a:p%40b@127.0.0.1:" .. port .. "/")
print(http.request("http://127.0.0.1:" .. port .. "?query=1"))
END
modules=$(echo root/usr/lib/*/lua/5.4)
timeout 20 python3 server.py 2>asked | LUA_PATH="root/usr/share/lua/5.4/?.lua" LUA_CPATH="$modules/?.so" timeout 10 root/usr/bin/lua5.4 program.lua >seen
cat asked seen | tee both
printf '%s\n' 'GET /path#part HTTP/1.1 ' 'GET / HTTP/1.1 user%40a:p@b' "nil	service not supported for socket type" | cmp - both
