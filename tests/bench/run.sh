#!/bin/sh
# All benchmarks in one run, each beside its reference. Everything is pinned to one core, but for the calls.
set -u
cd "$(dirname "$0")/../.." || exit 1
rounds=${ROUNDS:-20000}
work=$(mktemp -d)
mkfifo "$work/stop"
build/bench/peer <"$work/stop" >"$work/ports" &
peer=$!
exec 3>"$work/stop"
trap 'exec 3>&-; wait $peer 2>/dev/null; [ -n "${nginx:-}" ] && kill $nginx 2>/dev/null && wait $nginx 2>/dev/null; rm -rf "$work"' EXIT
pin() { taskset -c 0 "$@"; }
taskset -pc 0 $peer >/dev/null
while ! grep -q ws= "$work/ports"; do sleep 0.05; done
tcp=$(sed 's/tcp=\([0-9]*\).*/\1/' "$work/ports")
ws=$(sed 's/.*ws=//' "$work/ports")
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
with_lua() {
  LUA_PATH="lua/?.lua;lua/?/init.lua;;" LUA_CPATH="build/lua/$1/?.so;;" pin "$2" "tests/bench/$3.lua" "$ws" "$rounds"
}

echo "64 B echo round trip, median (aims: core 1.4, Lua 2.0 times the blocking TCP ping-pong)"
reference=$(pin build/bench/tcp_echo "$tcp" "$rounds")
printf '  %-28s %8s us\n' "TCP ping-pong in C" "$reference"
core=$(pin build/bench/ws_echo "$ws" "$rounds")
printf '  %-28s %8s us   %s\n' "libbeam" "$core" "$(ratio "$core" "$reference")"
for lua in 5.4:lua5.4 jit:luajit; do
  time=$(with_lua "${lua%%:*}" "${lua#*:}" echo)
  printf '  %-28s %8s us   %s\n' "conn:request, ${lua#*:}" "$time" "$(ratio "$time" "$reference")"
done

echo "Two identity transforms and the queue over the bare connection, 64 B echo (aim: 1.3)"
for lua in 5.4:lua5.4 jit:luajit; do
  set -- $(with_lua "${lua%%:*}" "${lua#*:}" transforms)
  printf '  %-8s round trip %s us, with them %s us   %s      CPU %s us, with them %s us   %s\n' "${lua#*:}" "$@"
done

echo "JSON, times as fast as bare lua-cjson (aim: 0.90 where that is exact, marked *)"
for lua in 5.4:lua5.4 jit:luajit 5.3:lua5.3 5.1:lua5.1; do
  echo "  ${lua#*:}"
  with_json() { LUA_PATH="lua/?.lua;lua/?/init.lua;;" LUA_CPATH="build/lua/${lua%%:*}/?.so;;" pin "${lua#*:}" tests/bench/json.lua "$@"; }
  with_json
  case $lua in 5.4:* | jit:*) with_json 64 ;; esac
done

echo "Messages received"
for row in "64 1000000" "4096 400000" "1048576 2000"; do
  set -- $row
  printf '  %7s B  %s\n' "$1" "$(pin build/bench/ws_receive "$ws" "$1" "$2")"
done

echo "Idle connections (aims: 8000 bytes each; CPU for a message the same among them)"
for count in 1000 10000; do printf '  %s\n' "$(pin build/bench/ws_many "$ws" $count)"; done

echo "Start of beamlua -e '' beside lua5.4 -e '' (aim: 2)"
printf '  %s\n' "$(pin "${PYTHON:-/usr/bin/python3}" tests/bench/start.py)"

echo "Idle step (aim: 1000 ns)"
printf '  %s ns\n' "$(pin build/bench/step_idle "$ws")"

echo "While DNS takes 2 s, a TLS handshake stalls and the CA certificates are read (aim: no open and no step over 5 ms)"
build/bench/step_longest | sed 's/^/  /'

echo "Calls a second, POST of 64 B answered by nginx"
port=$(${PYTHON:-python3} -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$work/nginx.conf" <<END
daemon off; master_process off; pid $work/nginx.pid; error_log $work/nginx.log;
events { worker_connections 512; }
http {
  access_log off; client_body_temp_path $work/b; proxy_temp_path $work/p; fastcgi_temp_path $work/f; uwsgi_temp_path $work/u;
  scgi_temp_path $work/s; keepalive_requests 10000000;
  server { listen 127.0.0.1:$port; location / { return 200 '{"result":24}'; } }
}
END
"$(command -v nginx || echo /usr/sbin/nginx)" -p "$work" -c "$work/nginx.conf" 2>/dev/null &
nginx=$!
sleep 0.5
build/bench/http_reference "http://127.0.0.1:$port/" 20000 | sed 's/^/  libcurl-multi alone  /'
build/bench/http_bench "http://127.0.0.1:$port/" 20000 | sed 's/^/  libbeam              /'

echo "A script's work with limits and without (aim: 1.6), and calls into it (aim: 1000 ns)"
pin build/bench/scripting/script

echo "A host in C with a connection script, ns (aims: 1000 for an idle step, 1000 for a call)"
pin build/bench/scripting/host "$ws" | sed 's/^/  /'

echo "Start of an empty script (aim: 3.00)"
start_time() {
  ${PYTHON:-python3} - "$@" <<'END'
import subprocess, sys, time
times = []
for _ in range(200):
    start = time.perf_counter()
    subprocess.run(sys.argv[1:])
    times.append(time.perf_counter() - start)
print("%.2f" % (sorted(times)[100] * 1e3))
END
}
lua=$(start_time lua5.4 -e "")
ours=$(start_time build/beamlua -e "")
printf '  lua5.4 %s ms, beamlua %s ms   %s\n' "$lua" "$ours" "$(ratio "$ours" "$lua")"

echo "Frames of a game while the network does its worst (aim: 0.5 ms added at p99)"
sh tests/bench/love/frames.sh 2>/dev/null | sed "s/^/  /"

echo "Inside nginx, beside lua-resty-websocket"
${PYTHON:-python3} tests/bench/nginx/bench.py | sed 's/^/  /'

sh tests/bench/map/run.sh
