#!/bin/sh
# godot3-server 3.2.3-stable-1+b3 (Debian 12): WebSocketClient (a peer of WebSocketServer does the same).
# Guess: put_packet sends a message, an empty one too, as one that comes from elsewhere is handed on; the reason of a close is sent as it was given.
# Seen: an empty message is taken (OK is returned) and never sent: who answers each message with one, or says "go on" with an empty one, waits for ever at the other end. A
# reason is sent with a NUL at its end, which is shown nowhere and compared everywhere: "bye" is not "bye".
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
	var peer = client.get_peer(1)
	for text in ["one", "", "two", ""]:
		print("told: ", text, " was taken ", peer.put_packet(text.to_utf8()) == OK)
	client.disconnect_from_host(4000, "bye")
func closed(_clean): quit()
func _idle(_delta):
	client.poll()
	return false
END_OF_CLIENT
cat >program.py <<'END_OF_PROGRAM'
import base64, hashlib, os, socket, subprocess, sys
with socket.create_server(("127.0.0.1", 0)) as server:
    environment = dict(os.environ, URL=f"ws://127.0.0.1:{server.getsockname()[1]}/", HOME=os.getcwd(), XDG_DATA_HOME=os.getcwd())
    client = subprocess.Popen([sys.argv[1], "-s", "client.gd"], env=environment, stdout=open("told", "w"), stderr=subprocess.DEVNULL)
    connection, _ = server.accept()
    stream = connection.makefile("rb")
    head = list(iter(stream.readline, b"\r\n"))
    key = next(line.split(b": ")[1].strip() for line in head if line.lower().startswith(b"sec-websocket-key:"))
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
    while start := stream.read(2):
        mask, payload = stream.read(4), stream.read(start[1] & 127)
        payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
        print("came:", {1: "text", 2: "binary", 8: "close"}[start[0] & 15], payload, flush=True)
        if start[0] & 15 == 8:
            connection.sendall(b"\x88\x02\x0f\xa0")
            break
    connection.close()
    client.terminate()
END_OF_PROGRAM
library=$(echo "$folder"/root/usr/lib/*-linux-gnu)
LC_ALL=C.UTF-8 LD_LIBRARY_PATH=$library timeout 60 python3 program.py root/usr/bin/godot3-server | tee seen
sed -n '/^told/p' told | tee -a seen
cmp - seen <<'END_OF_SEEN'
came: binary b'one'
came: binary b'two'
came: close b'\x0f\xa0bye\x00'
told: one was taken True
told:  was taken True
told: two was taken True
told:  was taken True
END_OF_SEEN
