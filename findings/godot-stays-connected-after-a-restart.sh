#!/bin/sh
# godot3-server 3.2.3-stable-1+b3 (Debian 12): WebSocketClient, as a game of Godot 3 has it.
# Guess: a server that closes with 1012 ("service restart", in IANA's list since 2010) is told by server_close_request(1012, …) and connection_closed, as one
# that closes with 4001; a client that would not have the code says that the connection is over, in whatever words.
# Seen: 1012 and 1013 are answered with 1002, and the game is told nothing, then and later: no signal comes, the status stays "connected", and put_packet returns OK
# although the server has ended TCP long since. The same after a message of more than the input buffer (64 KiB unless set_buffers says otherwise), which is
# answered with 1009. A game that comes back at connection_closed never does.
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
var began = OS.get_ticks_msec()
var asked = false
func _init():
	client.connect("server_close_request", self, "asked_to_close")
	client.connect("connection_closed", self, "closed")
	client.connect_to_url(OS.get_environment("URL"))
func asked_to_close(code, reason): print("told: ", code, " ", reason)
func closed(clean):
	print("told: closed, clean ", clean)
	quit()
func _idle(_delta):
	client.poll()
	if OS.get_ticks_msec() - began > 4000:
		var connected = client.get_connection_status() == NetworkedMultiplayerPeer.CONNECTION_CONNECTED
		print("told: nothing; connected ", connected, ", put_packet ", client.get_peer(1).put_packet("x".to_utf8()) == OK)
		quit()
	return false
END_OF_CLIENT
cat >program.py <<'END_OF_PROGRAM'
import base64, hashlib, os, re, socket, subprocess, sys
FRAMES = {"close 4001": b"\x88\x05\x0f\xa1bye", "close 1012": b"\x88\x05\x03\xf4bye", "close 1013": b"\x88\x05\x03\xf5bye",
          "a message of 100000 bytes": b"\x81\x7f" + (100000).to_bytes(8, "big") + b"x" * 100000}
with socket.create_server(("127.0.0.1", 0)) as server:
    environment = dict(os.environ, URL=f"ws://127.0.0.1:{server.getsockname()[1]}/", HOME=os.getcwd(), XDG_DATA_HOME=os.getcwd())
    for name, frame in FRAMES.items():
        client = subprocess.Popen([sys.argv[1], "-s", "client.gd"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        connection, _ = server.accept()
        stream = connection.makefile("rb")
        head = list(iter(stream.readline, b"\r\n"))
        key = next(line.split(b": ")[1].strip() for line in head if line.lower().startswith(b"sec-websocket-key:"))
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        connection.sendall(frame)
        start = stream.read(2)
        mask, payload = stream.read(4), stream.read(start[1] & 127)
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()
        print(f"{name}, answered {int.from_bytes(bytes(a ^ b for a, b in zip(payload[:2], mask)), 'big')}", flush=True)
        print("\n".join(re.findall("told: .*", client.communicate()[0])), flush=True)
END_OF_PROGRAM
library=$(echo "$folder"/root/usr/lib/*-linux-gnu)
LC_ALL=C.UTF-8 LD_LIBRARY_PATH=$library timeout 90 python3 program.py root/usr/bin/godot3-server | tee seen
{
  printf '%s\n' 'close 4001, answered 4001' 'told: 4001 bye' 'told: closed, clean True'
  for end in 'close 1012, answered 1002' 'close 1013, answered 1002' 'a message of 100000 bytes, answered 1009'; do
    printf '%s\n' "$end" 'told: nothing; connected True, put_packet True'
  done
} | cmp - seen
