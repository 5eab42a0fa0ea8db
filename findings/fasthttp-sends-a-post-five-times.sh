#!/bin/sh
# golang-github-valyala-fasthttp-dev 1:1.31.0-4 (fasthttp), Go 1.19.8 (Debian 12).
# Guess: a POST that the server read and did not answer (its process ended, perhaps because of that input) is told as an error. It may have been run, so it
# goes out once; only a method that does no harm twice is tried again, as fasthttp says of MaxIdemponentCallAttempts.
# Seen: it is sent again whenever the connection ended before the first byte of an answer, on a new connection, too: an input that the server dies of is
# read by five of its processes before the caller hears of it, and one that it failed at once is a plain 200 with two runs behind it.
set -eu
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
apt-get download golang-github-valyala-fasthttp-dev=1:1.31.0-4 golang-github-andybalholm-brotli-dev golang-github-klauspost-compress-dev \
  golang-github-valyala-bytebufferpool-dev golang-1.19-go golang-1.19-src >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
mkdir program
cat >program/main.go <<'END'
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"sync/atomic"

	"github.com/valyala/fasthttp"
)

var read, wanted int32 // POSTs that were read whole; the one that is answered

func serve(connection net.Conn) {
	defer connection.Close()
	reader := bufio.NewReader(connection)
	for {
		for line := ""; line != "\r\n"; {
			var err error
			if line, err = reader.ReadString('\n'); err != nil {
				return
			}
		}
		if _, err := io.ReadFull(reader, make([]byte, len("input"))); err != nil || atomic.AddInt32(&read, 1) != wanted {
			return
		}
		fmt.Fprint(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	}
}

func main() {
	listener, _ := net.Listen("tcp", "127.0.0.1:0")
	go func() {
		for {
			connection, _ := listener.Accept()
			go serve(connection)
		}
	}()
	url := "http://" + listener.Addr().String() + "/"
	for _, wanted = range []int32{0, 2} {
		atomic.StoreInt32(&read, 0)
		request, answer := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
		request.SetRequestURI(url)
		request.Header.SetMethod("POST")
		request.SetBodyString("input")
		err := (&fasthttp.Client{}).Do(request, answer)
		fmt.Printf("fasthttp, number %d is answered: an error: %t; read: %d\n", wanted, err != nil, atomic.LoadInt32(&read))
	}
}
END
GOROOT=$folder/root/usr/lib/go-1.19 GOPATH=$folder/root/usr/share/gocode GOCACHE=$folder/cache GO111MODULE=off GOTOOLCHAIN=local GOFLAGS= \
  timeout 300 root/usr/lib/go-1.19/bin/go run program/main.go | tee seen
cat >expected <<'END'
fasthttp, number 0 is answered: an error: true; read: 5
fasthttp, number 2 is answered: an error: false; read: 2
END
cmp expected seen
