#!/bin/sh
# lua-http 0.4-1 (Debian 12), beside python3-aiohttp 3.8.4-1+deb12u2.
# Guess: a body that ends before its Content-Length is an error: the server was lost in the middle of it.
# Seen: get_body_as_string() returns what came, without an error, as save_body_to_file() does: half of a file has status 200 and is whole for all that the
# caller can see. Of a body in chunks the same loss is an error.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download lua-http=0.4-1 lua5.3=5.3.6-2 lua-cqueues lua-luaossl lua-lpeg lua-lpeg-patterns lua-basexx lua-fifo lua-binaryheap lua-compat53 lua-zlib \
  python3-aiohttp=3.8.4-1+deb12u2 python3-aiosignal python3-async-timeout python3-attr python3-charset-normalizer python3-frozenlist python3-idna \
  python3-multidict python3-yarl >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >server.py <<'END'
import socket
ANSWERS = {b"/length": b"Content-Length: 1000\r\n\r\n" + b"x" * 400, b"/chunks": b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n" + b"x" * 400}
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    while True:
        connection, _ = server.accept()
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            request += connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + ANSWERS[request.split()[1]])
        connection.close()
END
cat >program.lua <<'END'
local request = require "http.request"
local function said(answer, err)
  return answer and (type(answer) == "string" and #answer .. " bytes" or tostring(answer)) or err and "an error" or "nothing"
end
for _, path in ipairs { "length", "chunks" } do
  local url = ("http://127.0.0.1:%s/%s"):format(arg[1], path)
  local headers, stream = assert(request.new_from_uri(url):go(10))
  print(path, "lua-http", headers:get ":status", "as a string", said(stream:get_body_as_string(10)))
  headers, stream = assert(request.new_from_uri(url):go(10))
  local file = io.tmpfile()
  print(path, "lua-http", headers:get ":status", "to a file", said(stream:save_body_to_file(file, 10)))
end
END
cat >program.py <<'END'
import asyncio, sys, aiohttp
async def main():
    async with aiohttp.ClientSession() as session:
        for path in ("length", "chunks"):
            async with session.get(f"http://127.0.0.1:{sys.argv[1]}/{path}") as answer:
                try:
                    told = f"{len(await answer.read())} bytes"
                except aiohttp.ClientPayloadError:
                    told = "an error"
                print(path, "aiohttp", answer.status, told, sep="\t")
asyncio.run(main())
END
timeout 60 python3 server.py >port &
until [ -s port ]; do sleep 0.1; done
modules=$(echo root/usr/lib/*/lua/5.3)
{
  LUA_PATH="root/usr/share/lua/5.3/?.lua;root/usr/share/lua/5.1/?.lua;root/usr/share/lua/5.1/?/init.lua" LUA_CPATH="$modules/?.so" \
    timeout 40 root/usr/bin/lua5.3 program.lua "$(cat port)"
  PYTHONPATH=$folder/root/usr/lib/python3/dist-packages timeout 40 /usr/bin/python3 -S program.py "$(cat port)"
} | tee seen
kill $!
printf '%s\t%s\t%s\t%s\t%s\n' length lua-http 200 'as a string' '400 bytes' length lua-http 200 'to a file' true \
  chunks lua-http 200 'as a string' 'an error' chunks lua-http 200 'to a file' 'an error' >expected
printf '%s\t%s\t%s\t%s\n' length aiohttp 200 'an error' chunks aiohttp 200 'an error' >>expected
cmp expected seen
