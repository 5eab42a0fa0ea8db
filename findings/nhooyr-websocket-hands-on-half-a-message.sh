#!/bin/sh
# golang-nhooyr-websocket-dev 1.8.7-3 (nhooyr.io/websocket), beside golang-github-gorilla-websocket-dev 1.5.0-2, Go 1.19.8 (Debian 12).
# Guess: a message counts when its last fragment has come; where TCP ends before that, the read fails, as it does where TCP ends within a frame.
# Seen: where TCP ends between two fragments, Read returns what came as a whole message, with no error; that the connection is lost is told by the
# next Read. Servers that stream send in fragments, and a process that is killed stops between two of them. gorilla tells 1006 at once.
set -eu
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
apt-get download golang-nhooyr-websocket-dev=1.8.7-3 golang-github-gorilla-websocket-dev=1.5.0-2 golang-github-klauspost-compress-dev golang-1.19-go golang-1.19-src >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >server.py <<'END'
import base64, hashlib, re, socket
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    for _ in range(2):
        for end in (b"\x80\x05 half", b"\x80\x05 h", b""): # the last fragment: whole, cut, or not there
            connection, _ = server.accept()
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                request += connection.recv(65536)
            key = re.search(rb"sec-websocket-key: (.*)\r", request, re.I)[1]
            accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
            connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %b\r\n\r\n" % accept)
            connection.sendall(b"\x01\x0ethe first half" + end)
            connection.close()
END
mkdir program
cat >program/main.go <<'END'
package main

import (
	"context"
	"fmt"

	gorilla "github.com/gorilla/websocket"
	"nhooyr.io/websocket"
)

func main() {
	var port int
	fmt.Scan(&port)
	address := fmt.Sprintf("ws://127.0.0.1:%d", port)
	for _, last := range []string{"whole", "cut", "not there"} {
		client, _, err := websocket.Dial(context.Background(), address, nil)
		if err != nil {
			panic(err)
		}
		_, text, err := client.Read(context.Background())
		fmt.Printf("nhooyr, the last fragment is %s: %q, error: %v\n", last, text, err)
	}
	for _, last := range []string{"whole", "cut", "not there"} {
		client, _, err := gorilla.DefaultDialer.Dial(address, nil)
		if err != nil {
			panic(err)
		}
		_, text, err := client.ReadMessage()
		fmt.Printf("gorilla, the last fragment is %s: %q, error: %v\n", last, text, err)
	}
}
END
GOROOT=$folder/root/usr/lib/go-1.19 GOPATH=$folder/root/usr/share/gocode GOCACHE=$folder/cache GO111MODULE=off GOTOOLCHAIN=local GOFLAGS= \
  timeout 100 root/usr/lib/go-1.19/bin/go build -o client program/main.go
timeout 30 python3 server.py | timeout 20 ./client | tee seen
cat >wanted <<'END'
nhooyr, the last fragment is whole: "the first half half", error: <nil>
nhooyr, the last fragment is cut: "the first half h", error: failed to read: failed to read frame payload: unexpected EOF
nhooyr, the last fragment is not there: "the first half", error: <nil>
gorilla, the last fragment is whole: "the first half half", error: <nil>
gorilla, the last fragment is cut: "the first half h", error: websocket: close 1006 (abnormal closure): unexpected EOF
gorilla, the last fragment is not there: "the first half", error: websocket: close 1006 (abnormal closure): unexpected EOF
END
cmp wanted seen
