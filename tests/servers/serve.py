"""Starts every server that is not ours for a test: uvicorn, nginx with TLS before it, and the faults. Prints NAME=VALUE lines
(ports, files), then "ready"; ends, and everything with it, when nobody reads its output any more.
"""
import asyncio
import os
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

import certificates
import faults
from ports import free_port

HERE = os.path.dirname(os.path.abspath(__file__))
NGINX = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 512; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; keepalive_requests 100000;
  map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
  server {{
    listen 127.0.0.1:{http};
    listen 127.0.0.1:{https} ssl http2;
    ssl_certificate {folder}/good.pem; ssl_certificate_key {folder}/good.key;
    client_max_body_size 100m;
    location = /version {{ return 200 '{{"protocol":"$server_protocol","connection":"$connection"}}'; }}
    location / {{
      proxy_pass http://127.0.0.1:{uvicorn}; proxy_http_version 1.1; proxy_set_header Host $host; proxy_read_timeout 60;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
    }}
  }}
  server {{
    listen 127.0.0.1:{mutual} ssl;
    ssl_certificate {folder}/good.pem; ssl_certificate_key {folder}/good.key;
    ssl_client_certificate {folder}/ca.pem; ssl_verify_client on;
    location / {{
      proxy_pass http://127.0.0.1:{uvicorn}; proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
    }}
  }}
}}
"""


def wait_for(port, seconds=60):
    end = time.time() + seconds
    while time.time() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    sys.exit(f"serve.py: nothing listens on port {port}")


def say(name, value):
    print(f"{name}={value}", flush=True)


def start_uvicorn(folder, port):
    log = open(f"{folder}/uvicorn.log", "w")
    return subprocess.Popen([sys.executable, "-m", "uvicorn", "beam_app:app", "--host", "127.0.0.1", "--port", str(port),
                             "--log-level", "warning", "--ws", "websockets"], cwd=HERE, stdout=log, stderr=log)


def start_nginx(folder, ports):
    with open(f"{folder}/nginx.conf", "w") as config:
        config.write(NGINX.format(folder=folder, **ports))
    log = open(f"{folder}/nginx.out", "w")
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    return subprocess.Popen([nginx, "-p", folder, "-c", f"{folder}/nginx.conf"], stdout=log, stderr=log)


async def start_faults(folder):
    port = (await asyncio.start_server(faults.connection, "127.0.0.1", 0)).sockets[0].getsockname()[1]
    say("faults", port)
    mute = await asyncio.start_server(faults.mute, "127.0.0.1", 0)
    say("mute", mute.sockets[0].getsockname()[1])
    for name in ("good", "selfsigned", "expired", "elsewhere", "unknown"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{folder}/{name}.pem", f"{folder}/{name}.key")
        server = await asyncio.start_server(faults.connection, "127.0.0.1", 0, ssl=context)
        say(f"tls_{name}", server.sockets[0].getsockname()[1])


async def reader_gone():
    """Until the other end of our standard output is closed: that is how a test, however it ends, ends us."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), select.POLLERR)
    while not poll.poll(0):
        await asyncio.sleep(0.1)


async def main(folder, children):
    ports = {name: free_port() for name in ("uvicorn", "http", "https", "mutual")}
    certificates.make_all(folder)
    children.append(start_uvicorn(folder, ports["uvicorn"]))
    children.append(start_nginx(folder, ports))
    for name, port in ports.items():
        wait_for(port)
        say(name, port)
    say("folder", folder)
    say("ca", f"{folder}/ca.pem")
    await start_faults(folder)
    hole = faults.black_hole()
    say("black_hole", hole[0].getsockname()[1])
    say("refused", free_port())
    print("ready", flush=True)
    await reader_gone()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    work, started = tempfile.mkdtemp(prefix="beam-hosts-"), []
    try:
        asyncio.run(main(work, started))
    finally:
        for child in started:
            child.terminate()
        for child in started:
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:  # uvicorn waits for apps that do not end
                child.kill()
        shutil.rmtree(work, ignore_errors=True)
