#!/bin/sh
# lighttpd 1.4.69-1 (Debian 12), mod_proxy in front of a server that ends its chunked answers with a trailer.
# Guess: trailers are passed on, or dropped.
# Seen: the answer is gathered, gets a Content-Length, and the trailer stands among its headers with a second carriage return at the end of its
# line ("X-Check: 42\r\r\n"). Node's fetch refuses the whole answer for that.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download lighttpd=1.4.69-1 libnettle8 libpcre2-8-0 libxxhash0 libcrypt1 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.py <<'END'
import os, signal, socket, subprocess, threading, time

def read_head(connection):
    text = b""
    while b"\r\n\r\n" not in text:
        text += connection.recv(65536) or b"\r\n\r\n"
    return text

def backend(server):
    connection, _ = server.accept()
    read_head(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Check\r\n\r\n6\r\nanswer\r\n0\r\nX-Check: 42\r\n\r\n")
    connection.close()

server = socket.create_server(("127.0.0.1", 0))
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
threading.Thread(target=backend, args=(server,), daemon=True).start()
with open("lighttpd.conf", "w") as configuration:
    configuration.write(f'''server.document-root = "/nowhere"
server.bind = "127.0.0.1"
server.port = {port}
server.modules = ("mod_proxy")
proxy.server = ("" => (("host" => "127.0.0.1", "port" => {server.getsockname()[1]})))
''')
lighttpd = subprocess.Popen(["root/usr/sbin/lighttpd", "-D", "-m", "root/usr/lib/lighttpd", "-f", "lighttpd.conf"], stderr=subprocess.DEVNULL)
try:
    for _ in range(100):
        try:
            client = socket.create_connection(("127.0.0.1", port), 5)
            break
        except OSError:
            time.sleep(0.05)
    client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n")
    for line in read_head(client).split(b"\n"):
        if line.lower().startswith((b"x-check", b"content-length", b"transfer", b"trailer")):
            print(line)
finally:
    lighttpd.terminate()
    lighttpd.wait(10)
END
library=$(echo root/usr/lib/*-linux-gnu)
LD_LIBRARY_PATH="$library" timeout 30 python3 program.py | tee seen
printf "b'%s'\n" 'X-Check: 42\r\r' 'Content-Length: 6\r' | cmp - seen
