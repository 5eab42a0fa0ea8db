#!/bin/sh
# mono 6.8.0.105+dfsg-3.3+deb12u1 (Debian 12): HttpListener of its class library.
# Guess: HttpListenerResponse.Abort "closes the connection to the client without sending a response", as its documentation says: a client hears of a loss. After
# a part of a body in chunks the last chunk is missing.
# Seen: Abort sends a whole answer, 200 with Content-Length: 0, if there was none yet, and the last chunk, if there was a part of one: what was given up is a success for the
# client. Only an answer of a told length ends early.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download mono-mcs=6.8.0.105+dfsg-3.3+deb12u1 mono-runtime-sgen mono-runtime-common libmono-corlib4.5-dll libmono-system4.0-cil libmono-system-core4.0-cil \
  libmono-security4.0-cil libmono-system-configuration4.0-cil libmono-system-xml4.0-cil libmono-system-numerics4.0-cil libmono-system-security4.0-cil >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >server.cs <<'END'
using System; using System.Net; using System.Text;
class Program {
  static void Main(string[] arguments) {
    var listener = new HttpListener();
    listener.Prefixes.Add("http://127.0.0.1:" + arguments[0] + "/");
    listener.Start();
    var half = Encoding.ASCII.GetBytes("half");
    for (var at = 0; at < 3; at++) {
      var context = listener.GetContext();
      var answer = context.Response;
      if (context.Request.RawUrl == "/chunks") answer.SendChunked = true;
      if (context.Request.RawUrl == "/length") answer.ContentLength64 = 8;
      if (context.Request.RawUrl != "/nothing") { answer.OutputStream.Write(half, 0, 4); answer.OutputStream.Flush(); }
      answer.Abort();
    }
  }
}
END
cat >client.py <<'END'
import re, socket, sys, time
def ask(path):
    for _ in range(600):
        try:
            connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 20)
            break
        except ConnectionRefusedError:
            time.sleep(0.1)
    connection.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: 127.0.0.1:" + sys.argv[1].encode() + b"\r\n\r\n")
    head, body = connection.makefile("rb").read().split(b"\r\n\r\n", 1)
    lengths = re.findall(rb"(?:Content-Length|Transfer-Encoding): .*?(?=\r|$)", head)
    print(path.decode(), head[9:12].decode(), b", ".join(lengths).decode(), body, flush=True)
for path in (b"/nothing", b"/chunks", b"/length"):
    ask(path)
END
export MONO_PATH="$folder/root/usr/lib/mono/4.5" MONO_CFG_DIR="$folder/root/etc" LD_LIBRARY_PATH="$folder/root/usr/lib" HOME="$folder"
root/usr/bin/mono-sgen "$MONO_PATH/mcs.exe" -out:server.exe server.cs -r:System.dll >log 2>&1 || { cat log; exit 1; }
port=$(python3 -c 'import socket; server = socket.create_server(("127.0.0.1", 0)); print(server.getsockname()[1])')
timeout 90 root/usr/bin/mono-sgen server.exe "$port" &
timeout 80 python3 client.py "$port" | tee seen
wait $!
cmp - seen <<'END'
/nothing 200 Content-Length: 0 b''
/chunks 200 Transfer-Encoding: chunked b'4\r\nhalf\r\n0\r\n\r\n'
/length 200 Content-Length: 8 b'half'
END
