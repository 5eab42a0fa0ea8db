#!/bin/sh
# scripts/everywhere.lua, unchanged, in each host, against the same local Beam: all say the same.
set -u
cd "$(dirname "$0")/../.." || exit 1
root=$PWD
folder=$(mktemp -d)
processes=
trap 'for process in $processes; do kill "$process" 2>/dev/null; done; rm -rf "$folder"' EXIT
unset BEAM_TOKEN
export XDG_DATA_HOME="$folder" ALSOFT_DRIVERS=null

build/beamlua serve --port 0 --quiet >"$folder/beam" 2>&1 &
processes=$!
for _ in $(seq 100); do grep -q "local Beam at" "$folder/beam" && break; sleep 0.1; done
BEAM_GATEWAY_URL=$(grep -o 'http://[0-9.:]*' "$folder/beam" | head -n 1)
export BEAM_GATEWAY_URL

cat >"$folder/expected" <<'END'
12 * 2 = 24
echo 1
echo 2
echo 3
task 1 2
task 2 4
task 3 6
nothing more: nil timeout
closed: true
an error: http 400 no
END

number=0
same() {
  number=$((number + 1))
  if cmp -s "$folder/expected" "$folder/said"; then echo "ok $number - $1"; else
    echo "not ok $number - $1"
    diff "$folder/expected" "$folder/said" | sed 's/^/# /'
  fi
}

print='print(assert(loadfile("scripts/everywhere.lua"))())'
in_lua() {
  LUA_PATH="lua/?.lua;lua/?/init.lua;;" LUA_CPATH="build/lua/$1/?.so;;" timeout 120 "$2" -e "$print" >"$folder/said" 2>&1
  same "$2"
}

in_nginx() {
  port=$("${BEAM_TEST_PYTHON:-/usr/bin/python3}" "$root/tests/servers/ports.py")
  mkdir "$folder/nginx"
  cat >"$folder/nginx.conf" <<END
load_module $(ls /usr/lib/nginx/modules/ndk_http_module.so);
load_module $(ls /usr/lib/nginx/modules/ngx_http_lua_module.so);
daemon off; pid $folder/nginx/pid; error_log $folder/nginx/error.log; env BEAM_GATEWAY_URL; worker_processes 1; user root;
events { worker_connections 64; }
http {
  access_log off; client_body_temp_path $folder/nginx/b; proxy_temp_path $folder/nginx/p; fastcgi_temp_path $folder/nginx/f;
  uwsgi_temp_path $folder/nginx/u; scgi_temp_path $folder/nginx/s;
  lua_package_path "$root/lua/?.lua;$root/lua/?/init.lua;;";
  lua_package_cpath "$root/build/lua/jit/?.so;;";
  init_worker_by_lua_block { require("beam").setup() }
  server {
    listen 127.0.0.1:$port;
    location / { content_by_lua_block { ngx.say(assert(loadfile("$root/scripts/everywhere.lua"))()) } }
  }
}
END
  "$(command -v nginx || echo /usr/sbin/nginx)" -p "$folder/nginx" -c "$folder/nginx.conf" 2>/dev/null &
  processes="$processes $!"
  curl -s --retry 5 --retry-connrefused --retry-delay 0 --max-time 30 "http://127.0.0.1:$port/" >"$folder/said" || cat "$folder/nginx/error.log" >"$folder/said"
  same nginx
}

five=$(command -v lua5.5 >/dev/null && [ -e build/lua/5.5/beam/core.so ] && echo yes)
echo 1..$((7 ${five:++ 1}))
timeout 120 build/beamlua -e "$print" >"$folder/said" 2>&1
same beamlua
in_lua 5.1 lua5.1
in_lua jit luajit
in_lua 5.3 lua5.3
in_lua 5.4 lua5.4
[ -z "$five" ] || in_lua 5.5 lua5.5
timeout 120 xvfb-run -a -s "-screen 0 320x240x24" love tests/hosts/everywhere "$root" >"$folder/said" 2>"$folder/love"
same "LÖVE"
in_nginx
