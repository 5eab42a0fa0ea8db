#!/bin/sh
# golang-github-gin-contrib-sse-dev 0.1.0-2 (gin-contrib/sse), Go 1.19.8 (Debian 12).
# Guess: its Decode reads what servers send: an id and a retry in one event, lines that end with CR LF.
# Seen: a retry is put where the id belongs, so that who goes on from the last id asks with "3000". With CR LF an empty line is no empty line:
# all events become one, with the carriage returns in its data. No error.
set -eu
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
apt-get download golang-github-gin-contrib-sse-dev=0.1.0-2 golang-1.19-go golang-1.19-src >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
mkdir program
cat >program/main.go <<'END'
package main

import (
	"fmt"
	"strings"

	"github.com/gin-contrib/sse"
)

func main() {
	for _, text := range []string{"id: 7\ndata: a\n\n", "id: 7\nretry: 3000\ndata: a\n\n", "data: a\n\ndata: b\n\n", "data: a\r\n\r\ndata: b\r\n\r\n"} {
		events, err := sse.Decode(strings.NewReader(text))
		fmt.Printf("%q:", text)
		for _, event := range events {
			fmt.Printf(" data %q, id %q;", event.Data, event.Id)
		}
		fmt.Println(" error", err)
	}
}
END
GOROOT=$folder/root/usr/lib/go-1.19 GOPATH=$folder/root/usr/share/gocode GOCACHE=$folder/cache GO111MODULE=off GOTOOLCHAIN=local GOFLAGS= \
  timeout 100 root/usr/lib/go-1.19/bin/go run program/main.go | tee seen
cat >wanted <<'END'
"id: 7\ndata: a\n\n": data "a", id "7"; error <nil>
"id: 7\nretry: 3000\ndata: a\n\n": data "a", id "3000"; error <nil>
"data: a\n\ndata: b\n\n": data "a", id ""; data "b", id ""; error <nil>
"data: a\r\n\r\ndata: b\r\n\r\n": data "a\r\nb\r", id ""; error <nil>
END
cmp wanted seen
