#!/bin/sh
# beam.map: ten thousand inputs to a local Beam that fails, and calls a second beside bare libcurl, Node's fetch and Python.
# usage: run.sh   INPUTS=10000 CALLS=20000 CONCURRENCY=16
set -u
cd "$(dirname "$0")/../../.." || exit 1
inputs=${INPUTS:-10000} calls=${CALLS:-20000} concurrency=${CONCURRENCY:-16}
python=${PYTHON:-/usr/bin/python3}
faults="status=429@1%,status=503@1%,lost=502@1%,hang_up=reset@0.5%,lost=reset@0.5%,slow=50ms..200ms@1%"
work=$(mktemp -d)
pids=
trap 'for pid in $pids; do kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; done; rm -rf "$work"' EXIT
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
row() { printf '  %-36s %7s/s   %s\n' "$1" "$2" "$(ratio "$2" "$reference")"; }
with_lua() {
  LUA_PATH="lua/?.lua;lua/?/init.lua;;" LUA_CPATH="build/lua/$1/?.so;;" "$2" "tests/bench/map/$3.lua" "$4" "$5" "$concurrency"
}

# Starts a local Beam with further options and says where it listens.
serve() {
  name=$1
  shift
  : >"$work/$name"
  build/beamlua serve tests/bench/map/app.lua --port 0 --no-token --quiet "$@" >"$work/$name" 2>/dev/null &
  pids="$pids $!"
  while ! grep -q '^local Beam at' "$work/$name"; do sleep 0.05; done
  gateway=$(sed -n 's|^local Beam at \(http://[^ ]*\) .*|\1|p' "$work/$name")
}

# Notes what one program got, if it is the best so far: a neighbour on the machine only ever makes it less.
note() {
  [ "$2" -gt "$(cat "$work/best-$1" 2>/dev/null || echo 0)" ] && echo "$2" >"$work/best-$1"
}
best() { cat "$work/best-$1" 2>/dev/null; }

# Everybody's calls a second to one URL, in turn, the best of three rounds each.
compare() {
  url=$1 count=$2
  rm -f "$work"/best-*
  for round in 1 2 3; do
    note libcurl "$(build/bench/map/reference "$url" "$count" "$concurrency")"
    note lua5.4 "$(with_lua 5.4 lua5.4 calls "$url" "$count")"
    note luajit "$(with_lua jit luajit calls "$url" "$count")"
    command -v node >/dev/null && note node "$(node tests/bench/map/fetch.mjs "$url" $((count / 2)) "$concurrency")"
    for library in httpx requests; do
      $python -c "import $library" 2>/dev/null || continue
      note "$library" "$($python tests/bench/map/python_clients.py "$library" "$url" $((count / 10)) "$concurrency")"
    done
  done
  reference=$(best libcurl)
  row "libcurl-multi alone" "$reference"
  row "beam.map, lua5.4" "$(best lua5.4)"
  row "beam.map, luajit" "$(best luajit)"
  [ -z "$(best node)" ] || row "fetch, Node $(node --version)" "$(best node)"
  for library in httpx requests; do
    [ -z "$(best $library)" ] || row "$library, Python" "$(best $library)"
  done
}

echo "Calls a second to a local Beam, $concurrency at a time (aim: 0.70 of libcurl-multi alone, ahead of fetch and Python)"
serve sound
compare "$gateway/endpoint/double" "$inputs"

echo "The same to nginx, which answers at once: what the client itself costs"
$python - "$work" <<'END'
import sys
sys.path.insert(0, "tests/servers")
from ports import free_port
port, work = free_port(), sys.argv[1]
temporary = "".join(f"{name}_temp_path {work}/{name}; " for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
with open(work + "/nginx.conf", "w") as file:
    file.write(f"""daemon off; master_process off; pid {work}/nginx.pid; error_log {work}/nginx.log;
events {{ worker_connections 512; }}
http {{ access_log off; {temporary} keepalive_requests 10000000; default_type application/json;
server {{ listen 127.0.0.1:{port}; location / {{ return 200 '{{"result":24}}'; }} }} }}""")
with open(work + "/port", "w") as file:
    file.write(str(port))
END
"$(command -v nginx || echo /usr/sbin/nginx)" -p "$work" -c "$work/nginx.conf" 2>/dev/null &
pids="$pids $!"
port=$(cat "$work/port")
until curl -so /dev/null "http://127.0.0.1:$port/"; do sleep 0.05; done
compare "http://127.0.0.1:$port/" "$calls"

status=0
echo "$inputs inputs to a local Beam with faults: $faults"
for lua in 5.4:lua5.4 jit:luajit; do
  serve "faults-${lua#*:}" --fault "$faults"
  with_lua "${lua%%:*}" "${lua#*:}" faults "$gateway" "$inputs" >"$work/out" || status=1
  reference=$(build/bench/map/reference "$gateway/endpoint/double" "$inputs" "$concurrency" tolerant)
  row "beam.map, ${lua#*:}" "$(head -n 1 "$work/out")"
  tail -n +2 "$work/out" | sed 's/^/    /'
  row "libcurl-multi alone, no second try" "$reference"
done
exit $status
