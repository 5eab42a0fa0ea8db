#!/bin/sh
# lua-nginx-websocket 0.08-1 (lua-resty-websocket), libnginx-mod-http-lua 0.10.23-1, nginx 1.22.1 (Debian 12).
# Guess: connect() fails where the server refuses the upgrade, with the status, as it does where nobody listens.
# Seen: connect() succeeds with any answer, 401 and 503 among them, and the body of the refusal is read as frames: "bad RSV1, RSV2, or RSV3 bits"
# from the first recv_frame() of a wrong token. A send before it succeeds. Who comes back after a failed connect() does not come back after this.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download lua-nginx-websocket=0.08-1 nginx libnginx-mod-http-lua libnginx-mod-http-ndk lua-resty-core lua-resty-lrucache libluajit2-5.1-2 \
  libpcre3 libssl3 zlib1g libcrypt1 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >server.py <<'END'
import http.server
class Refusing(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = b'{"error": "not for you"}'
        self.send_response(int(self.path[1:]))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
print(server.server_port, flush=True)
server.serve_forever()
END
cat >client.lua <<'END'
local websocket = require "nginx.websocket.client"
for _, status in ipairs { 401, 503 } do
  local client = websocket:new { timeout = 5000 }
  local ok = client:connect("ws://127.0.0.1:" .. ngx.var.arg_port .. "/" .. status)
  local sent = client:send_text "x"
  local _, _, message = client:recv_frame()
  ngx.say(status, ": connected ", ok ~= nil, ", sent ", sent ~= nil, ", ", message)
end
END
python3 server.py >port & server=$!
for _ in $(seq 100); do [ -s port ] && break; sleep 0.1; done
free=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >nginx.conf <<END
load_module $folder/root/usr/lib/nginx/modules/ndk_http_module.so;
load_module $folder/root/usr/lib/nginx/modules/ngx_http_lua_module.so;
daemon off; master_process off; error_log error.log; pid pid;
events {}
http {
  lua_package_path "$folder/root/usr/share/lua/5.1/?.lua;;"; access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server { listen 127.0.0.1:$free; location / { content_by_lua_file client.lua; } }
}
END
LD_LIBRARY_PATH=$(echo "$folder"/root/usr/lib/*-linux-gnu) root/usr/sbin/nginx -p "$folder" -c "$folder/nginx.conf" -e error.log >log 2>&1 & nginx=$!
trap 'kill $server $nginx; rm -rf "$folder"' EXIT
timeout 20 python3 - "$free" "$(cat port)" <<'END' | tee seen
import sys, time, urllib.request
for _ in range(100):
    try:
        print(urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/?port={sys.argv[2]}").read().decode(), end="")
        break
    except OSError:
        time.sleep(0.1)
END
printf '%s: connected true, sent true, bad RSV1, RSV2, or RSV3 bits\n' 401 503 | cmp - seen
