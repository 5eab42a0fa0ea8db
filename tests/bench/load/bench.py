"""beamlua load beside wrk and beside bare libcurl, on nginx: the same rate and the same percentiles at equal load; calls a second and CPU a
call from the same core; and a server that stands still for two seconds.   usage: bench.py   ROUNDS=3 SECONDS=8"""
import json
import os
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tests", "servers"))
from ports import free_port  # noqa: E402

BEAMLUA = os.path.join(ROOT, "build", "beamlua")
REFERENCE = os.path.join(ROOT, "build", "bench", "http_reference")
ROUNDS = int(os.environ.get("ROUNDS", "3"))
SECONDS = float(os.environ.get("SECONDS", "8"))
AT_A_TIME = 64

NGINX = """
daemon off; master_process off; pid {work}/nginx.pid; error_log {work}/nginx.log;
{modules}
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {work}/b; proxy_temp_path {work}/p; fastcgi_temp_path {work}/f; uwsgi_temp_path {work}/u;
  scgi_temp_path {work}/s; keepalive_requests 100000000;
  server {{
    listen 127.0.0.1:{port};
    location / {{ return 200 '{{"result":24}}'; }}
    location /slow {{
      content_by_lua_block {{
        ngx.sleep(0.05 + 0.2 * math.random())
        ngx.print '{{"result":24}}'
      }}
    }}
  }}
}}
"""

# The same POST, and percentiles as wrk's own interface gives them.
WRK = """
wrk.method, wrk.body = "POST", '{"x":12}'
wrk.headers["Content-Type"] = "application/json"
function done(summary, latency)
  local shown = { summary.requests / summary.duration * 1e6 }
  for _, percent in ipairs { 50, 75, 90, 99, 99.9 } do shown[#shown + 1] = latency:percentile(percent) / 1e6 end
  io.write("figures ", table.concat(shown, " "), "\\n")
end
"""

STALL = """
local app = require "beam.serve"
local driver = require "beam.driver"
local began, stalled
app.endpoint("stalls", function(input)
  began = began or driver.now()
  if not stalled and driver.now() - began > 3 then
    stalled = true
    os.execute "sleep 2"
  end
  return { result = input.x }
end)
"""

NAMES = ["rate", "p50", "p75", "p90", "p99", "p99.9"]


def wait_for(port):
    deadline = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert time.monotonic() < deadline, "the server does not listen"
            time.sleep(0.05)


def pinned(core, *argv):
    return ["taskset", "-c", str(core % os.cpu_count()), *argv]


def start_nginx(work):
    port = free_port()
    found = [path for path in ("/usr/lib/nginx/modules/ndk_http_module.so", "/usr/lib/nginx/modules/ngx_http_lua_module.so")]
    modules = "\n".join(f"load_module {path};" for path in found if os.path.exists(path))
    with open(os.path.join(work, "nginx.conf"), "w") as file:
        file.write(NGINX.format(work=work, port=port, modules=modules))
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    nginx = subprocess.Popen(pinned(0, program, "-p", work, "-c", os.path.join(work, "nginx.conf")), stderr=subprocess.DEVNULL)
    wait_for(port)
    return nginx, f"http://127.0.0.1:{port}"


def run(argv):
    """What it printed, and the seconds of the processor that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


# ---- The same percentiles ----

def wrk(work, url):
    script = os.path.join(work, "post.lua")
    with open(script, "w") as file:
        file.write(WRK)
    return pinned(1, "wrk", "-t1", f"-c{AT_A_TIME}", f"-d{SECONDS:g}s", "-s", script, url)


def load(url):
    return pinned(1, BEAMLUA, "load", url, '{"x":12}', "--concurrency", str(AT_A_TIME), "--duration", f"{SECONDS:g}s", "--json")


def side_by_side(work, url):
    """Both at the same time, so that what else the machine does befalls both."""
    theirs, ours = (subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for argv in (wrk(work, url), load(url)))
    text, report = theirs.communicate()[0], json.loads(ours.communicate()[0])
    assert report["failed"] == 0, report["errors"]
    figures = [float(word) for word in re.search(r"figures (.*)", text).group(1).split()]
    return figures, [report["rate"]] + [report["latency"][name] for name in ("p50", "p75", "p90", "p99", "p99_9")]


def shown(name, value):
    return f"{value:9.1f}/s" if name == "rate" else f"{value * 1e3:8.2f} ms"


def compare(work, url):
    print(f"{AT_A_TIME} at a time each, nginx answers after 50 to 250 ms; side by side, medians of {ROUNDS} rounds (aim: 0.95 to 1.05)")
    rounds = [side_by_side(work, url) for _ in range(ROUNDS)]
    for i, name in enumerate(NAMES):
        theirs, ours = (statistics.median(one[which][i] for one in rounds) for which in (0, 1))
        print(f"  {name:6} wrk {shown(name, theirs)}   beamlua load {shown(name, ours)}   {ours / theirs:.3f}")


# ---- As many calls ----

def drive(url):
    print("64 at a time, as fast as it goes, from one core (aim: 0.8 of bare libcurl)")
    count, ours, theirs = 20000, [], []
    _, start = run(pinned(1, BEAMLUA, "load", url, "{}", "--concurrency", "64", "--count", "64", "--json"))
    for _ in range(4 * ROUNDS):
        out, _ = run(pinned(1, REFERENCE, url, "64", str(count)))
        made, seconds, processor = (float(word) for word in out.split())
        theirs.append((made / seconds, processor / made * 1e6))
        out, seconds = run(pinned(1, BEAMLUA, "load", url, "{}", "--concurrency", "64", "--count", str(count), "--json"))
        ours.append((json.loads(out)["rate"], (seconds - start) / count * 1e6))
    for name, which, choose in (("calls a second, best", 0, max), ("calls a second, median", 0, statistics.median),
                                ("CPU a call, best, us", 1, min), ("CPU a call, median, us", 1, statistics.median)):
        one, other = choose(row[which] for row in theirs), choose(row[which] for row in ours)
        ratio = other / one if which == 0 else one / other
        print(f"  {name:24} libcurl-multi alone {one:9.1f}   beamlua load {other:9.1f}   {ratio:.2f}")


# ---- A stall ----

def stall(work):
    print("8 s in which the server stands still for 2 (200 calls a second planned, or expected: p99 is near to 2 s, as wrk2 would have it)")
    with open(os.path.join(work, "app.lua"), "w") as file:
        file.write(STALL)
    env = {**os.environ, "HOME": work}
    for name, plan in (("open model", ["--rate", "200"]), ("closed model", ["--concurrency", "1", "--expected-rate", "200"])):
        server = subprocess.Popen([BEAMLUA, "serve", "app.lua", "--port", "0", "--quiet", "--no-token"], cwd=work, env=env, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True)
        try:
            url = re.match(r"local Beam at (\S+)", server.stdout.readline()).group(1)
            out = subprocess.run([BEAMLUA, "load", "stalls", "--duration", "8s", "--json", *plan], env={**env, "BEAM_GATEWAY_URL": url},
                                 capture_output=True, text=True, check=True).stdout
        finally:
            server.terminate()
            server.wait()
            server.stdout.close()
        report = json.loads(out)
        for what in ("latency", "corrected"):
            if report.get(what):
                of = report[what]
                print(f"  {name:13} {what:10} p50 {of['p50'] * 1e3:8.2f} ms   p90 {of['p90'] * 1e3:8.1f} ms   p99 {of['p99'] * 1e3:8.1f} ms   "
                      f"longest {of['max'] * 1e3:8.1f} ms   of {of['count']}")


def main():
    work = tempfile.mkdtemp(prefix="beam-bench-load-")
    nginx, url = start_nginx(work)
    try:
        compare(work, url + "/slow")
        drive(url + "/")
        stall(work)
    finally:
        nginx.send_signal(signal.SIGTERM)
        nginx.wait()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
