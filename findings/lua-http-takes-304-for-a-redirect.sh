#!/bin/sh
# lua-http 0.4-1 (Debian 12).
# Guess: a request with If-None-Match is answered with 304 where nothing has changed, and the caller is told 304; 300 with a list of choices is told as 300.
# Seen: go() fails with "missing location header for redirect", and neither the status nor the head can be had: every 3xx counts as a redirect. So a
# conditional request fails whenever it does its work, unless follow_redirects is false, and then true redirects are not followed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download lua-http=0.4-1 lua5.3=5.3.6-2 lua-cqueues lua-luaossl lua-lpeg lua-lpeg-patterns lua-basexx lua-fifo lua-binaryheap lua-compat53 lua-zlib >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >server.py <<'END'
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        status = 300 if self.path == "/choices" else 304 if self.headers.get("If-None-Match") == '"1"' else 200
        self.send_response(status)
        self.send_header("ETag", '"1"')
        if status != 304:
            self.send_header("Content-Length", "4")
        self.end_headers()
        if status != 304:
            self.wfile.write(b"text")
    def log_message(self, *_):
        pass
server = HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
END
cat >program.lua <<'END'
local request = require "http.request"
for _, case in ipairs { { "page" }, { "page", '"1"' }, { "page", '"1"', false }, { "choices" } } do
  local path, tag, follow = case[1], case[2], case[3]
  local asked = request.new_from_uri(("http://127.0.0.1:%s/%s"):format(arg[1], path))
  if tag then asked.headers:upsert("if-none-match", tag) end
  if follow == false then asked.follow_redirects = false end
  local headers, err = asked:go(10)
  print(path, tag or "no tag", follow == false and "follows none" or "follows", headers and headers:get ":status" or err)
end
END
timeout 60 python3 server.py >port &
until [ -s port ]; do sleep 0.1; done
modules=$(echo root/usr/lib/*/lua/5.3)
LUA_PATH="root/usr/share/lua/5.3/?.lua;root/usr/share/lua/5.1/?.lua;root/usr/share/lua/5.1/?/init.lua" LUA_CPATH="$modules/?.so" \
  timeout 40 root/usr/bin/lua5.3 program.lua "$(cat port)" | tee seen
kill $!
printf '%s\t%s\t%s\t%s\n' page 'no tag' follows 200 page '"1"' follows 'missing location header for redirect' page '"1"' 'follows none' 304 \
  choices 'no tag' follows 'missing location header for redirect' | cmp - seen
