#!/bin/sh
# websocketd 0.4.1-1+b11 (Debian 12).
# Guess: a program that has ended is told to its client by a close frame: 1000, or 1011 where its status is not 0. What it answered before a client's
# close goes out before the answer to that.
# Seen: TCP ends without a close frame, whatever the status: a loss (1006), so that a client which comes back runs the program again, for ever. At the
# client's close frame what the program still had to answer is dropped.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download websocketd=0.4.1-1+b11 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >reader.sh <<'END'
while read -r line; do
  case $line in 0|3) exit "$line" ;; esac
  sleep 0.2
  echo "got $line"
done
END
cat >program.py <<'END'
import base64, os, socket, subprocess, time
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
server = subprocess.Popen(["root/usr/bin/websocketd", "--address=127.0.0.1", f"--port={port}", "--loglevel=fatal", "sh", "reader.sh"])
def frame(opcode, payload):
    return bytes([0x80 | opcode, 0x80 | len(payload), 0, 0, 0, 0]) + payload # the mask is 0
try:
    for name, sent in (("text", frame(1, b"a")), ("status 0", frame(1, b"0")), ("status 3", frame(1, b"3")),
                        ("text and a close with 4001", frame(1, b"a") + frame(8, b"\x0f\xa1"))):
        for _ in range(100):
            try:
                connection = socket.create_connection(("127.0.0.1", port), timeout=1)
                break
            except ConnectionRefusedError:
                time.sleep(0.1)
        connection.sendall((f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n\r\n").encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += connection.recv(1)
        connection.sendall(sent)
        answer, end = b"", "TCP ended"
        try:
            while part := connection.recv(4096):
                answer += part
        except TimeoutError:
            end = "and it stays"
        print(f"{name}: {answer} {end}")
        connection.close()
finally:
    server.kill()
END
timeout 30 python3 program.py | tee seen
cat >wanted <<'END'
text: b'\x81\x05got a' and it stays
status 0: b'' TCP ended
status 3: b'' TCP ended
text and a close with 4001: b'\x88\x02\x0f\xa1' TCP ended
END
cmp wanted seen
