"""The servers of the benchmarks, each started when it is first asked for. "near" ones share the client's core, as a round trip
then has no wait for another core in it; "far" ones have the other core for themselves, so that the client is what is measured."""
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path += [os.path.join(ROOT, "tests", "servers"), os.path.join(ROOT, "tests", "hosts", "nginx")]
import certificates  # noqa: E402
import nginx  # noqa: E402
import serve  # noqa: E402

NEAR, FAR = min(os.sched_getaffinity(0)), max(os.sched_getaffinity(0))
GIBIBYTE = 1 << 30

NGINX = """daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 100000000; sendfile on; default_type application/json;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;
  scgi_temp_path {folder}/s; ssl_certificate {certificate}; ssl_certificate_key {key};
  server {{
    listen 127.0.0.1:{http}; listen 127.0.0.1:{https} ssl; root {files};
    location / {{ return 200 '{{"result":24}}'; }}
    location = /large {{ }}
  }}
  server {{ listen 127.0.0.1:{h2} ssl http2; location / {{ return 200 '{{"result":24}}'; }} }}
}}
"""
INSIDE = """
  lua_package_path "{root}/lua/?.lua;{root}/lua/?/init.lua;{root}/tests/bench/nginx/?.lua;;";
  init_worker_by_lua_block {{ require("beam").setup() }}
  server {{
    listen 127.0.0.1:{port}; keepalive_timeout 60;
    location = /plain {{ return 200 "plain"; }}
    location / {{ content_by_lua_block {{ require("nginx_bench")[ngx.var.uri:sub(2)]() }} }}
  }}
"""
INSIDE_HEAD = re.sub(r"  lua_package_path .*\n", "", nginx.HEAD)


class Servers(dict):
    """What a command of figures.py may name in braces: near_ws, far_https, ca and so on."""

    def __init__(self, folder):
        super().__init__()
        self.folder, self.ends = folder, []
        os.chmod(folder, 0o755)
        certificates.make_all(folder)
        self["ca"], self["certificate"], self["key"] = (f"{folder}/{name}" for name in ("ca.pem", "good.pem", "good.key"))

    def __missing__(self, name):
        core, _, kind = name.partition("_")
        start = self.start_peer if kind in ("tcp", "ws", "wss") else self.start_nginx
        if name == "inside":
            self.start_inside()
        else:
            start(core, NEAR if core == "near" else FAR)
        return self[name]

    def start_peer(self, core, cpu):
        peer = subprocess.Popen(["taskset", "-c", str(cpu), f"{ROOT}/build/bench/peer", self["certificate"], self["key"]],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ends.append(lambda: (peer.stdin.close(), peer.wait()))
        ports = dict(pair.split("=") for pair in peer.stdout.readline().split())
        self.update({f"{core}_tcp": ports["tcp"], f"{core}_ws": f"ws://127.0.0.1:{ports['ws']}",
                     f"{core}_wss": f"wss://localhost:{ports['wss']}"})

    def start_nginx(self, core, cpu):
        folder = f"{self.folder}/nginx-{core}"
        os.makedirs(f"{folder}/files")
        with open(f"{folder}/files/large", "wb") as file:
            file.truncate(GIBIBYTE)
        ports = {kind: serve.free_port() for kind in ("http", "https", "h2")}
        with open(f"{folder}/nginx.conf", "w") as config:
            config.write(NGINX.format(folder=folder, files=f"{folder}/files", certificate=self["certificate"], key=self["key"], **ports))
        server = subprocess.Popen(["taskset", "-c", str(cpu), nginx.program(), "-p", folder, "-c", f"{folder}/nginx.conf"],
                                  stderr=subprocess.DEVNULL)
        self.ends.append(lambda: (server.terminate(), server.wait()))
        for port in ports.values():
            serve.wait_for(port)
        self.update({f"{core}_http": f"http://127.0.0.1:{ports['http']}/", f"{core}_https": f"https://localhost:{ports['https']}/",
                     f"{core}_h2": f"https://localhost:{ports['h2']}/"})

    def inside_under(self, *under):
        """nginx with Beam and lua-resty-websocket in one process, run by another program."""
        return nginx.Nginx(f"{self.folder}/under", INSIDE, main=INSIDE_HEAD, under=under)

    def start_inside(self):
        """The same, in one worker on the near core."""
        server = nginx.Nginx(f"{self.folder}/inside", INSIDE, workers=1, main=INSIDE_HEAD)
        os.sched_setaffinity(server.workers()[0], {NEAR})
        self.ends.append(server.end)
        self["inside"] = f"http://127.0.0.1:{server.port}"

    def end(self):
        while self.ends:
            self.ends.pop()()


def has_resty():
    return bool(shutil.which("curl")) and any(os.path.exists(f"{folder}/nginx/websocket/client.lua")
                                              for folder in ("/usr/share/lua/5.1", "/usr/share/luajit-2.1"))
