#!/bin/sh
# tcllib 1.21+dfsg-1 (websocket 1.4.2), tcl8.6 8.6.13+dfsg-2 (Debian 12).
# Guess: websocket::close sends a close frame with the code and the reason that it is given, a server's close is answered, and a loss is told as 1006.
# Seen: no close frame is ever sent: the state is "closed" before the frame is, and a closed connection sends nothing. To the server each end is a loss
# (1006), while the client's own handler is told what would have been sent. A loss is told as 1001 "Endpoint going away", and a close without a
# code as 1000, both with a reason that nobody gave.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download tcllib=1.21+dfsg-1 tcl8.6=8.6.13+dfsg-2 libtcl8.6 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.py <<'END'
import base64, hashlib, re, socket, subprocess
with socket.create_server(("127.0.0.1", 0)) as server:
    client = subprocess.Popen(["root/usr/bin/tclsh8.6", "client.tcl", f"ws://127.0.0.1:{server.getsockname()[1]}/"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for name, frames in (("the client closes with 4000", b""), ("the server closes with 1012", b"\x88\x09\x03\xf4restart"), ("the server closes without a code", b"\x88\x00"), ("loss", None)):
        connection, _ = server.accept()
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            request += connection.recv(1)
        key = re.search(rb"sec-websocket-key: (.*)\r", request, re.I)[1]
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %b\r\n\r\n" % accept)
        connection.recv(65536) # its text
        if frames is None:
            connection.shutdown(socket.SHUT_WR)
        else:
            connection.sendall(frames)
        print(f"{name}: it is told {client.stdout.readline().strip()}, sends {connection.recv(65536)}")
    client.wait()
END
cat >client.tcl <<'END'
lappend auto_path [lindex [glob root/usr/share/tcltk/tcllib*] 0]
package require websocket
::websocket::loglevel critical
proc handler {socket type message} {
  if {$type eq "connect"} {
    ::websocket::send $socket text hello
    if {$::number == 1} { after 200 [list ::websocket::close $socket 4000 superseded] }
  } elseif {$type eq "close"} {
    puts $message; flush stdout
  } elseif {$type eq "disconnect"} {
    set ::ended 1
  }
}
foreach number {1 2 3 4} {
  ::websocket::open [lindex $argv 0] handler
  vwait ended
}
END
export LD_LIBRARY_PATH=$(echo "$folder"/root/usr/lib/*-linux-gnu) TCL_LIBRARY=$folder/root/usr/share/tcltk/tcl8.6
timeout 30 python3 program.py | tee seen
cat >wanted <<'END'
the client closes with 4000: it is told 4000 superseded, sends b''
the server closes with 1012: it is told 1012 restart, sends b''
the server closes without a code: it is told 1000 {Normal closure}, sends b''
loss: it is told 1001 {Endpoint going away}, sends b''
END
cmp wanted seen
