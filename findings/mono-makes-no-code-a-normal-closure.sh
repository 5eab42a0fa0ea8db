#!/bin/sh
# mono 6.8.0.105+dfsg-3.3+deb12u1 (Debian 12): ClientWebSocket of its class library.
# Guess: CloseStatus is what the close frame has, and Empty (1005) for a frame without a code, as that enumeration has it for this; a code that
# IANA's list has (1012, 1013) is handed on like one of the app's.
# Seen: a frame without a code is NormalClosure (1000), which nobody sent, and what is sent back by its words is 1000. 1012 and 1013 are answered with 1002, and the program is
# told in the words for a loss: ConnectionClosedPrematurely, "The remote party closed the WebSocket connection without completing the close handshake".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download mono-mcs=6.8.0.105+dfsg-3.3+deb12u1 mono-runtime-sgen mono-runtime-common libmono-corlib4.5-dll libmono-system4.0-cil libmono-system-core4.0-cil \
  libmono-security4.0-cil libmono-system-configuration4.0-cil libmono-system-xml4.0-cil libmono-system-numerics4.0-cil libmono-system-security4.0-cil >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.cs <<'END'
using System; using System.Net.WebSockets; using System.Threading;
class Program {
  static void Main(string[] arguments) {
    for (var at = 0; at < 6; at++) {
      var client = new ClientWebSocket();
      client.ConnectAsync(new Uri(arguments[0]), CancellationToken.None).Wait();
      try {
        var end = client.ReceiveAsync(new ArraySegment<byte>(new byte[99]), CancellationToken.None).Result;
        Console.WriteLine("told: " + end.CloseStatus + " '" + end.CloseStatusDescription + "'");
        client.CloseAsync(end.CloseStatus.Value, end.CloseStatusDescription, CancellationToken.None).Wait();
      } catch (AggregateException error) {
        Console.WriteLine("told: " + ((WebSocketException) error.InnerException).WebSocketErrorCode);
      }
    }
  }
}
END
cat >server.py <<'END'
import base64, hashlib, socket
ENDS = {"1000": b"\x88\x02\x03\xe8", "4001": b"\x88\x05\x0f\xa1bye", "no code": b"\x88\x00", "1012": b"\x88\x05\x03\xf4bye", "1013": b"\x88\x05\x03\xf5bye", "a loss": b""}
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    for name, frame in ENDS.items():
        connection, _ = server.accept()
        stream = connection.makefile("rb")
        head = list(iter(stream.readline, b"\r\n"))
        key = next(line.split(b": ")[1].strip() for line in head if line.lower().startswith(b"sec-websocket-key:"))
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n" + frame)
        answer = "nothing"
        if frame:
            start, mask = stream.read(2), stream.read(4)
            payload = stream.read(start[1] & 127)
            answer = int.from_bytes(bytes(a ^ b for a, b in zip(payload[:2], mask)), "big")
        print(f"{name}: answered {answer}", flush=True)
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()
END
export MONO_PATH="$folder/root/usr/lib/mono/4.5" MONO_CFG_DIR="$folder/root/etc" LD_LIBRARY_PATH="$folder/root/usr/lib" HOME="$folder"
root/usr/bin/mono-sgen "$MONO_PATH/mcs.exe" -out:program.exe program.cs -r:System.dll >log 2>&1 || { cat log; exit 1; }
timeout 90 python3 server.py >answers &
until [ -s answers ]; do sleep 0.1; done
timeout 80 root/usr/bin/mono-sgen program.exe "ws://127.0.0.1:$(head -n 1 answers)/" >told
wait $!
sed 1d answers | paste -d ' ' - told | tee seen
cmp - seen <<'END'
1000: answered 1000 told: NormalClosure ''
4001: answered 4001 told: 4001 'bye'
no code: answered 1000 told: NormalClosure ''
1012: answered 1002 told: ConnectionClosedPrematurely
1013: answered 1002 told: ConnectionClosedPrematurely
a loss: answered nothing told: ConnectionClosedPrematurely
END
