#!/bin/sh
# libanyevent-websocket-client-perl 0.54-1, libprotocol-websocket-perl (Debian 12), ws 8.23.0 (npm) as the server, Node 20.
# Guess: a close frame is answered with its code, or with an empty frame. 1005 says that there was no code, so no frame may have it (RFC 6455, 7.4.1).
# Seen: it answers each close with 1005, and sends 1005 when the program closes without a code. A server that looks takes it for a protocol error
# (1002, "invalid status code 1005") at the end of every conversation that went well.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts ws@8.23.0 >log 2>&1 || { cat log; exit 1; }
apt-get download libanyevent-websocket-client-perl=0.54-1 libprotocol-websocket-perl libanyevent-perl libanyevent-connector-perl liburi-perl liburi-ws-perl \
  libmoo-perl libclass-method-modifiers-perl librole-tiny-perl libsub-quote-perl libmodule-runtime-perl libperlx-maybe-perl libregexp-ipv6-perl >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >client.pl <<'END'
use strict; use warnings; use AnyEvent; use AnyEvent::WebSocket::Client;
my $ended = AnyEvent->condvar;
my $connection = AnyEvent::WebSocket::Client->new->connect($ARGV[0])->recv;
$connection->on(finish => sub { $ended->send });
$connection->close if $ARGV[1] eq 'client';
$ended->recv;
END
cat >program.mjs <<'END'
import { spawn } from "node:child_process";
import { WebSocketServer } from "ws";
for (const closer of ["server", "client"]) {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await new Promise((resolve) => server.on("listening", resolve));
  const ended = new Promise((resolve) => server.on("connection", (socket) => {
    socket.on("error", (error) => resolve(error.message));
    socket.on("close", resolve);
    if (closer === "server") socket.close(1000);
  }));
  spawn("perl", ["client.pl", `ws://127.0.0.1:${server.address().port}`, closer], { stdio: "inherit" });
  console.log(`the ${closer} closes: ${await ended}`);
}
process.exit(0);
END
PERL5LIB=$folder/root/usr/share/perl5:$(echo "$folder"/root/usr/lib/*-linux-gnu/perl5/*) timeout 30 node program.mjs | tee seen
printf 'the %s closes: Invalid WebSocket frame: invalid status code 1005\n' server client | cmp - seen
