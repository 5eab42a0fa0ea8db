#!/bin/sh
# godot3-server 3.2.3-stable-1+b3 (Debian 12): HTTPRequest, as a game of Godot 3 has it.
# Guess: names of transfer codings are compared without case (RFC 9112, 7), what follows a chunk's size is passed over (7.1.1), an answer may have no fields at all, and
# interim answers come before the answer (RFC 9110, 15.2).
# Seen: with "Transfer-Encoding: Chunked" the request is a success (200) with an empty body: nothing tells of what was not read. "7;x=1" is a connection error, an answer
# without a field none, and a 103 the answer itself, a success with status 103. Trailers are passed over.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download godot3-server=3.2.3-stable-1+b3 libenet7 libsquish0 libvpx7 libtheora0 libvorbis0a libopus0 libogg0 libwebp7 libpcre2-32-0 libfreetype6 libpng16-16 \
  libbrotli1 libgomp1 libcairo2 libpixman-1-0 libfontconfig1 libexpat1 libxcb-shm0 libxcb-render0 libxcb1 libxrender1 libx11-6 libxext6 libxau6 libxdmcp6 libbsd0 \
  libmd0 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.gd <<'END_OF_PROGRAM'
extends SceneTree
var names = ["chunked", "Chunked", "extension", "trailer", "no-field", "early-hints"]
var request
func _idle(_delta):
	if request == null: ask()
	return false
func ask():
	if names.empty():
		quit()
		return
	request = HTTPRequest.new()
	get_root().add_child(request)
	request.connect("request_completed", self, "answered")
	request.request(OS.get_environment("URL") + names[0])
func answered(result, status, _headers, body):
	var results = {HTTPRequest.RESULT_SUCCESS: "success", HTTPRequest.RESULT_CONNECTION_ERROR: "connection error", HTTPRequest.RESULT_NO_RESPONSE: "no response"}
	print("seen: ", names.pop_front(), ": ", results[result], ", status ", status, ", ", body.size(), " bytes")
	request.queue_free()
	request = null
END_OF_PROGRAM
cat >program.py <<'END_OF_PROGRAM'
import os, socket, subprocess, sys
OK = b"HTTP/1.1 200 OK\r\n"
PLAIN = OK + b"Content-Length: 7\r\n\r\n{\"a\":1}"
CHUNKS = b"7\r\n{\"a\":1}\r\n0\r\n"
ANSWERS = {
    "chunked": OK + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS + b"\r\n",
    "Chunked": OK + b"Transfer-Encoding: Chunked\r\n\r\n" + CHUNKS + b"\r\n",
    "extension": OK + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS.replace(b"7", b"7;x=1", 1) + b"\r\n",
    "trailer": OK + b"Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n" + CHUNKS + b"X-Sum: 5\r\n\r\n",
    "no-field": b"HTTP/1.1 204 No Content\r\n\r\n",
    "early-hints": b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n" + PLAIN,
}
with socket.create_server(("127.0.0.1", 0)) as server:
    environment = dict(os.environ, URL=f"http://127.0.0.1:{server.getsockname()[1]}/", HOME=os.getcwd(), XDG_DATA_HOME=os.getcwd())
    client = subprocess.Popen([sys.argv[1], "-s", "program.gd"], env=environment, stderr=subprocess.DEVNULL)
    connections = []
    for _ in ANSWERS:
        connection, _ = server.accept()
        head = list(iter(connection.makefile("rb").readline, b"\r\n"))
        connection.sendall(ANSWERS[head[0].split()[1].decode()[1:]])
        connections.append(connection)
    client.wait()
END_OF_PROGRAM
library=$(echo "$folder"/root/usr/lib/*-linux-gnu)
LC_ALL=C.UTF-8 LD_LIBRARY_PATH=$library timeout 60 python3 program.py root/usr/bin/godot3-server | sed -n 's/^seen: //p' | tee seen
cmp - seen <<'END_OF_SEEN'
chunked: success, status 200, 7 bytes
Chunked: success, status 200, 0 bytes
extension: connection error, status 0, 0 bytes
trailer: success, status 200, 7 bytes
no-field: no response, status 0, 0 bytes
early-hints: success, status 103, 0 bytes
END_OF_SEEN
