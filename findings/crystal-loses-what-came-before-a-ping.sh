#!/bin/sh
# crystal 1.6.0+dfsg-3: HTTP::WebSocket of its standard library (Debian 12).
# Guess: a ping may stand between the fragments of a message (RFC 6455, 5.4), as it does where a server writes a long answer piece by piece and asks in
# between whether its client lives: the ping is answered with what it carried, and the message goes on.
# Seen: both are gathered in one place. The pong has the message's beginning before the ping's own bytes, and the message that is handed on is only what
# came after the ping: "a", ping, "b", ping, "c" is the message "c". Nothing tells of it, at either end.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download crystal=1.6.0+dfsg-3 libllvm14 libgc1 libgc-dev libevent-2.1-7 libevent-dev libevent-core-2.1-7 libevent-extra-2.1-7 libevent-pthreads-2.1-7 \
  libevent-openssl-2.1-7 libpcre3 libpcre3-dev libedit2 libz3-4 libbsd0 libmd0 libxml2 libicu72 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >client.cr <<'END'
require "http/web_socket"
client = HTTP::WebSocket.new("127.0.0.1", "/", ARGV[0].to_i)
client.on_message { |text| puts "message: #{text}" }
client.on_close { |code| puts "close: #{code.value}" }
client.run
END
cat >server.py <<'END'
import base64, hashlib, socket
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    connection, _ = server.accept()
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    key = next(line.split(b": ")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:"))
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
    for payload, opcode in ((b"whole", 0x81), (b"a", 1), (b"one", 0x89), (b"b", 0), (b"two", 0x89), (b"c", 0x80), (b"\x03\xe8", 0x88)):
        connection.sendall(bytes([opcode, len(payload)]) + payload)
    stream = connection.makefile("rb")
    while (start := stream.read(2)) and start[0] == 0x8A:
        mask, payload = stream.read(4), stream.read(start[1] & 127)
        print("pong:", bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload)).decode(), flush=True)
END
library=$(echo "$folder"/root/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH="$library" CRYSTAL_CACHE_DIR="$folder/cache" CRYSTAL_PATH="$folder/root/usr/lib/crystal/lib"
export CRYSTAL_LIBRARY_PATH="$library" PKG_CONFIG_PATH="$library/pkgconfig"
root/usr/bin/crystal build -Dwithout_openssl -Dwithout_zlib client.cr -o client >log 2>&1 || { cat log; exit 1; }
timeout 30 python3 server.py >told &
until [ -s told ]; do sleep 0.1; done
timeout 20 ./client "$(head -n 1 told)" | tee seen
wait $!
sed 1d told | tee -a seen
printf '%s\n' 'message: whole' 'message: c' 'close: 1000' 'pong: aone' 'pong: btwo' | cmp - seen
