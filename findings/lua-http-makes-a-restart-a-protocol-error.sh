#!/bin/sh
# lua-http 0.4-1 (Debian 12).
# Guess: a close with a code registered with IANA is told with that code and the server's reason: 1012 ("service restart"), 1013, 1014. What is
# sent after a loss fails.
# Seen: receive() says "Closed with reserved status code", 1002, the server is answered so, and got_close_code is `true`, no number. When TCP ends
# without a close frame, receive() returns nil with no error at all, and the send() after it succeeds.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download lua-http=0.4-1 lua5.3=5.3.6-2 lua-cqueues lua-luaossl lua-lpeg lua-lpeg-patterns lua-basexx lua-fifo lua-binaryheap lua-compat53 lua-zlib >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >server.py <<'END'
import base64, hashlib, re, socket
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    for code in (1001, 1012, 1013, 1014, None):
        connection, _ = server.accept()
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            request += connection.recv(65536)
        key = re.search(rb"sec-websocket-key: (.*)\r", request, re.I)[1]
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %b\r\n\r\n" % accept)
        if code:
            connection.sendall(b"\x88\x05" + code.to_bytes(2, "big") + b"why")
            connection.recv(65536)
        connection.close()
END
cat >program.lua <<'END'
local websocket = require "http.websocket"
local port = io.read "l"
for _, code in ipairs { "1001", "1012", "1013", "1014", "no frame" } do
  local client = websocket.new_from_uri("ws://127.0.0.1:" .. port)
  assert(client:connect(5))
  local _, text, number = client:receive(5)
  print(("%s: %s, %s, got_close_code %s, then send: %s"):format(code, text, number, client.got_close_code, client:send "x"))
end
END
modules=$(echo root/usr/lib/*/lua/5.3)
timeout 30 python3 server.py | LUA_PATH="root/usr/share/lua/5.3/?.lua;root/usr/share/lua/5.1/?.lua;root/usr/share/lua/5.1/?/init.lua" \
  LUA_CPATH="$modules/?.so" timeout 20 root/usr/bin/lua5.3 program.lua | tee seen
{
  echo '1001: why, 1001, got_close_code 1001, then send: nil'
  for code in 1012 1013 1014; do echo "$code: Closed with reserved status code, 1002, got_close_code true, then send: nil"; done
  echo 'no frame: nil, nil, got_close_code nil, then send: true'
} | cmp - seen
