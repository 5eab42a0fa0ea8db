#!/bin/sh
# privoxy 3.0.34-1 (Debian 12), as the proxy of a request whose body comes in chunks.
# Guess: a chunked body may end with a trailer (a checksum of what was streamed), which is passed on or dropped.
# Seen: without a trailer it is passed on as it is; with one the proxy answers 400 "Failed reading client body" itself, and the server never
# hears of the request. To the caller it looks as if the server had refused the input.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download privoxy=3.0.34-1 libmbedtls14 libmbedx509-1 libmbedcrypto7 libpcre3 libbrotli1 zlib1g >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.py <<'END'
import socket, subprocess, threading, time

def read_head(connection):
    text = b""
    while b"\r\n\r\n" not in text:
        text += connection.recv(65536) or b"\r\n\r\n"
    return text.decode()

def backend(server):
    while True:
        connection, _ = server.accept()
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 of the server\r\nContent-Length: 0\r\n\r\n")
        connection.close()

server = socket.create_server(("127.0.0.1", 0))
origin = f"http://127.0.0.1:{server.getsockname()[1]}"
threading.Thread(target=backend, args=(server,), daemon=True).start()
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
with open("config", "w") as configuration:
    configuration.write(f"listen-address 127.0.0.1:{port}\ntoggle 0\n")
privoxy = subprocess.Popen(["root/usr/sbin/privoxy", "--no-daemon", "config"], stderr=subprocess.DEVNULL)

def ask(request):
    for _ in range(100):
        try:
            client = socket.create_connection(("127.0.0.1", port), 5)
            break
        except OSError:
            time.sleep(0.05)
    client.sendall(request.encode())
    return read_head(client)

try:
    for name, trailer in (("no trailer", ""), ("a trailer", "X-Check: 42\r\n")):
        head = f"POST {origin}/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
        answer = ask(f"{head}\r\n4\r\nbody\r\n0\r\n{trailer}\r\n")
        print(f"{name}: {answer.splitlines()[0]}", flush=True)
finally:
    privoxy.terminate()
    privoxy.wait(10)
END
LD_LIBRARY_PATH=$(echo root/usr/lib/*-linux-gnu) timeout 30 python3 program.py | tee seen
printf '%s: HTTP/1.1 %s\n' 'no trailer' '200 of the server' 'a trailer' '400 Failed reading client body' | cmp - seen
