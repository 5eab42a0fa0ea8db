#!/bin/sh
# godot3-server 3.2.3-stable-1+b3 (Debian 12): WebSocketClient, as a game of Godot 3 has it.
# Guess: connection_closed(was_clean_close) tells a closing handshake from a loss, whoever began it: true where both ends sent a close frame.
# Seen: it is true only where the server began. A close of the game's own (disconnect_from_host) is waited for until the server has answered, and is then false, as a
# loss is. A game that comes back after an end that was not clean comes back after it has left.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download godot3-server=3.2.3-stable-1+b3 libenet7 libsquish0 libvpx7 libtheora0 libvorbis0a libopus0 libogg0 libwebp7 libpcre2-32-0 libfreetype6 libpng16-16 \
  libbrotli1 libgomp1 libcairo2 libpixman-1-0 libfontconfig1 libexpat1 libxcb-shm0 libxcb-render0 libxcb1 libxrender1 libx11-6 libxext6 libxau6 libxdmcp6 libbsd0 \
  libmd0 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >client.gd <<'END_OF_CLIENT'
extends SceneTree
var client = WebSocketClient.new()
func _init():
	client.connect("connection_established", self, "opened")
	client.connect("connection_closed", self, "closed")
	client.connect_to_url(OS.get_environment("URL"))
func opened(_protocol):
	if OS.get_environment("WHO") == "game": client.call_deferred("disconnect_from_host", 1000, "")
func closed(clean):
	print("told: clean ", clean)
	quit()
func _idle(_delta):
	client.poll()
	return false
END_OF_CLIENT
cat >program.py <<'END_OF_PROGRAM'
import base64, hashlib, os, re, socket, subprocess, sys, time
def read_frame(stream):
    start, mask = stream.read(2), stream.read(4)
    return start[0] & 15, bytes(a ^ b for a, b in zip(stream.read(start[1] & 127), mask))
with socket.create_server(("127.0.0.1", 0)) as server:
    for who in ("server", "game", "nobody"):
        environment = dict(os.environ, URL=f"ws://127.0.0.1:{server.getsockname()[1]}/", HOME=os.getcwd(), XDG_DATA_HOME=os.getcwd(), WHO=who)
        client = subprocess.Popen([sys.argv[1], "-s", "client.gd"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        connection, _ = server.accept()
        stream = connection.makefile("rb")
        head = list(iter(stream.readline, b"\r\n"))
        key = next(line.split(b": ")[1].strip() for line in head if line.lower().startswith(b"sec-websocket-key:"))
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        answered = "no close"
        if who == "game":
            answered = read_frame(stream) == (8, b"\x03\xe8") and "both closed"
            time.sleep(0.5)
        if who != "nobody": connection.sendall(b"\x88\x02\x03\xe8")
        if who == "server": answered = read_frame(stream) == (8, b"\x03\xe8") and "both closed"
        if who == "game": assert stream.read(1) == b""
        stream.close()
        connection.close()
        print(f"{who} ends it: {answered},", *re.findall("told: (.*)", client.communicate()[0]), flush=True)
END_OF_PROGRAM
library=$(echo "$folder"/root/usr/lib/*-linux-gnu)
LC_ALL=C.UTF-8 LD_LIBRARY_PATH=$library timeout 60 python3 program.py root/usr/bin/godot3-server | tee seen
printf '%s\n' 'server ends it: both closed, clean True' 'game ends it: both closed, clean False' 'nobody ends it: no close, clean False' | cmp - seen
