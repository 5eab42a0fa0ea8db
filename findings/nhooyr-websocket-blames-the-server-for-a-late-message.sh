#!/bin/sh
# golang-nhooyr-websocket-dev 1.8.7-3 (nhooyr.io/websocket), Go 1.19.8 (Debian 12).
# Guess: Close waits for the server's close frame and passes over what the server had sent before it (RFC 6455, 1.4: messages may be on their way).
# Seen: with a goroutine in Read, as a client of a realtime app has one, that Read takes the head of the late message and gives up, and Close reads
# the message's text as the head of a frame: it fails with "unexpected rsv bits", as if the server had broken the protocol, and the server's
# close frame is never read.
set -eu
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
apt-get download golang-nhooyr-websocket-dev=1.8.7-3 golang-github-klauspost-compress-dev golang-1.19-go golang-1.19-src >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >server.py <<'END'
import base64, hashlib, re, socket, time
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    for late in (b"", b"late", b"Late", b"{}"):
        connection, _ = server.accept()
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            request += connection.recv(65536)
        key = re.search(rb"sec-websocket-key: (.*)\r", request, re.I)[1]
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %b\r\n\r\n" % accept)
        connection.recv(65536) # the client's close frame
        time.sleep(0.2) # the message is on its way
        if late:
            connection.sendall(b"\x81" + bytes([len(late)]) + late)
        connection.sendall(b"\x88\x02\x03\xe8")
        connection.recv(65536)
        connection.close()
END
mkdir program
cat >program/main.go <<'END'
package main

import (
	"context"
	"fmt"
	"time"

	"nhooyr.io/websocket"
)

func main() {
	var port int
	fmt.Scan(&port)
	for _, late := range []string{"nothing", "late", "Late", "{}"} {
		client, _, err := websocket.Dial(context.Background(), fmt.Sprintf("ws://127.0.0.1:%d", port), nil)
		if err != nil {
			panic(err)
		}
		go client.Read(context.Background())
		time.Sleep(200 * time.Millisecond)
		fmt.Printf("after %s: %v\n", late, client.Close(websocket.StatusNormalClosure, ""))
	}
}
END
GOROOT=$folder/root/usr/lib/go-1.19 GOPATH=$folder/root/usr/share/gocode GOCACHE=$folder/cache GO111MODULE=off GOTOOLCHAIN=local GOFLAGS= \
  timeout 100 root/usr/lib/go-1.19/bin/go build -o client program/main.go
timeout 30 python3 server.py | timeout 20 ./client | tee seen
cat >wanted <<'END'
after nothing: <nil>
after late: failed to close WebSocket: received header with unexpected rsv bits set: true:true:false
after Late: failed to close WebSocket: received header with unexpected rsv bits set: true:false:false
after {}: failed to close WebSocket: received header with unexpected rsv bits set: true:true:true
END
cmp wanted seen
