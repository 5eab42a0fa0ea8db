#!/bin/sh
# golang-golang-x-net-dev 1:0.7.0+dfsg-1 (golang.org/x/net/websocket), Go 1.19.8 (Debian 12).
# Guess: Message.Receive gives whole messages, or an error, and an error tells the end's code or at least its kind.
# Seen: it gives each fragment as a message. What TCP cuts in the middle of a frame is a message, too: "12" of "1234", no error. A close with 1000, one with
# 4001 and a loss are the same io.EOF; 4001 is answered with 1000, when the program closes. A server's handler that returns ends TCP with no close frame,
# a loss (1006) to its client, which comes back. One subprotocol that is offered is accepted, whatever it is; two are refused with 400.
set -eu
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
apt-get download golang-golang-x-net-dev=1:0.7.0+dfsg-1 golang-1.19-go golang-1.19-src >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.py <<'END'
import base64, hashlib, os, re, socket, subprocess
def rest(connection):
    text = b""
    while part := connection.recv(65536):
        text += part
    return text
def head(connection):
    text = b""
    while not text.endswith(b"\r\n\r\n"):
        text += connection.recv(1)
    return text
with socket.create_server(("127.0.0.1", 0)) as server:
    port = server.getsockname()[1]
    client = subprocess.Popen(["./peer", f"ws://127.0.0.1:{port}/"], stdout=subprocess.PIPE, text=True)
    for name, frames in (("fragments", b"\x01\x02ab\x80\x02cd"), ("cut", b"\x81\x0412"), ("1000", b"\x88\x02\x03\xe8"), ("4001", b"\x88\x02\x0f\xa1"), ("loss", b"")):
        connection, _ = server.accept()
        key = re.search(rb"Sec-WebSocket-Key: (.*)\r", head(connection))[1]
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %b\r\n\r\n" % accept)
        connection.sendall(frames)
        connection.shutdown(socket.SHUT_WR)
        answer = rest(connection)
        code = int.from_bytes(bytes(a ^ b for a, b in zip(answer[2:4], answer[6:8])), "big")
        print(f"as a client, {name}: {client.stdout.readline().strip()}; it sends {answer[:2]}, {code}")
    port = int(client.stdout.readline())
    for protocols in ("", "Sec-WebSocket-Protocol: what-is-this\r\n", "Sec-WebSocket-Protocol: chat, what-is-this\r\n"):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall((f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n{protocols}\r\n").encode())
            answer = head(connection)
            accepted = re.search(rb"Sec-WebSocket-Protocol: (.*)\r", answer)
            print("as a server:", answer[9:12].decode(), accepted and accepted[1].decode(), rest(connection))
    client.kill()
END
mkdir program
cat >program/main.go <<'END'
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"

	"golang.org/x/net/websocket"
)

func main() {
	for i := 0; i < 5; i++ {
		client, err := websocket.Dial(os.Args[1], "", os.Args[1])
		for text := ""; err == nil; {
			if err = websocket.Message.Receive(client, &text); err == nil {
				fmt.Printf("%q, ", text)
			}
		}
		fmt.Println(err)
		client.Close()
	}
	listener, _ := net.Listen("tcp", "127.0.0.1:0")
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	http.Serve(listener, websocket.Handler(func(server *websocket.Conn) { websocket.Message.Send(server, "done") }))
}
END
GOROOT=$folder/root/usr/lib/go-1.19 GOPATH=$folder/root/usr/share/gocode GOCACHE=$folder/cache GO111MODULE=off GOTOOLCHAIN=local GOFLAGS= \
  timeout 100 root/usr/lib/go-1.19/bin/go build -o peer program/main.go
timeout 30 python3 program.py | tee seen
cat >wanted <<'END'
as a client, fragments: "ab", "cd", EOF; it sends b'\x88\x82', 1000
as a client, cut: "12", EOF; it sends b'\x88\x82', 1000
as a client, 1000: EOF; it sends b'\x88\x82', 1000
as a client, 4001: EOF; it sends b'\x88\x82', 1000
as a client, loss: EOF; it sends b'\x88\x82', 1000
as a server: 101 None b'\x81\x04done'
as a server: 101 what-is-this b'\x81\x04done'
as a server: 400 None b''
END
cmp wanted seen
