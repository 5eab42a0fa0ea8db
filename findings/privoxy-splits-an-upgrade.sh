#!/bin/sh
# privoxy 3.0.34-1 (Debian 12), asked for a WebSocket by an absolute URL (a client that sends CONNECT for https alone).
# Guess: a proxy passes an upgrade on, or takes Upgrade and Connection out of it, as both are of the hop.
# Seen: it leaves Upgrade and replaces Connection with "close": the server gets half of an upgrade (and answers 400 or 426), while of the server's
# answer both come through. So it works with a server that looks at Upgrade alone, and not with one that looks at what the standard says.
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

heard = []

def backend(server):
    connection, _ = server.accept()
    heard.append(read_head(connection))
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
    time.sleep(1)
    connection.close()

def fields(head):
    return ", ".join(sorted(line for line in head.split("\r\n") if line.startswith(("Upgrade", "Connection"))))

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
    answer = ask(f"GET {origin}/ HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
    print("the server hears", fields(heard[0]))
    print("the client hears", fields(answer))
finally:
    privoxy.terminate()
    privoxy.wait(10)
END
LD_LIBRARY_PATH=$(echo root/usr/lib/*-linux-gnu) timeout 30 python3 program.py | tee seen
printf 'the %s hears Connection: %s, Upgrade: websocket\n' server close client Upgrade | cmp - seen
