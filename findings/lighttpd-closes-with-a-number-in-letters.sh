#!/bin/sh
# lighttpd 1.4.69-1 (Debian 12): mod_wstunnel.
# Guess: a close frame is answered with its code or with 1000, two bytes (03 e8), and a client whose TCP server has ended is told so by a close frame, 1000 or 1001.
# Seen: whatever the client's close has, the answer is "1000" in four letters: the code 12592, which nobody may send (RFC 6455, 7.4.2), and the reason "00". A client
# that looks at codes calls it a failure of the protocol, at each end that was meant. Where the TCP server has ended there is no close frame: 1006, a loss.
set -eu
folder=$(mktemp -d)
trap 'kill $(cat pids 2>/dev/null) 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
apt-get download lighttpd=1.4.69-1 libnettle8 libpcre2-8-0 libxxhash0 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.py <<'END'
import os, socket, subprocess, threading, time
def serve(listener):
    while True:
        connection, _ = listener.accept()
        connection.sendall(b"welcome")
        if connection.recv(100) == b"end":
            connection.close()
backend = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=serve, args=(backend,), daemon=True).start()
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
with open("configuration", "w") as file:
    file.write(f"""server.port = {port}
server.bind = "127.0.0.1"
server.document-root = "{os.getcwd()}"
server.modules = ("mod_wstunnel")
wstunnel.server = ("/" => (("host" => "127.0.0.1", "port" => {backend.getsockname()[1]})))
""")
server = subprocess.Popen(["root/usr/sbin/lighttpd", "-D", "-f", "configuration", "-m", "root/usr/lib/lighttpd"], stderr=subprocess.DEVNULL)
with open("pids", "w") as file:
    file.write(str(server.pid))
def connect():
    for _ in range(200):
        try:
            connection = socket.create_connection(("127.0.0.1", port))
            break
        except ConnectionRefusedError:
            time.sleep(0.1)
    connection.settimeout(30)
    connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
    stream = connection.makefile("rb")
    while stream.readline().strip():
        pass
    start = stream.read(2)
    assert stream.read(start[1]) == b"welcome"
    return connection, stream
for name, payload in ("no code", b""), ("1000", b"\x03\xe8"), ("4001 and a reason", b"\x0f\xa1superseded"):
    connection, stream = connect()
    connection.sendall(bytes([0x88, 0x80 | len(payload), 0, 0, 0, 0]) + payload)
    print(f"close with {name}:", stream.read())
connection, stream = connect()
connection.sendall(b"\x81\x83\0\0\0\0end")
print("the TCP server ended:", stream.read())
END
library=$(echo "$folder"/root/usr/lib/*-linux-gnu)
LD_LIBRARY_PATH="$library" timeout 90 /usr/bin/python3 program.py | tee seen
cat >wanted <<'END'
close with no code: b'\x88\x041000'
close with 1000: b'\x88\x041000'
close with 4001 and a reason: b'\x88\x041000'
the TCP server ended: b''
END
cmp wanted seen
