#!/bin/sh
# python3-werkzeug 2.2.2-3+deb12u1 (Debian 12; the server that Flask develops with), Python 3.11.
# Guess: "Expect: 100-continue" is answered with 100 once, before the body; and a request of HTTP/1.0 with an answer that such a client can read: without chunks, to the
# end of the connection (RFC 9112, 6.1).
# Seen: where it speaks HTTP/1.1 (threaded=True) 100 is said twice, the second of them where a client that passes over one reads its answer. A client of HTTP/1.0 is
# answered with chunks, whose sizes are part of the text for it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download python3-werkzeug=2.2.2-3+deb12u1 python3-markupsafe >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.py <<'END'
import logging, socket, threading
from werkzeug.serving import make_server
logging.getLogger("werkzeug").disabled = True
def app(environ, start):
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"text"]
server = make_server("127.0.0.1", 0, app, threaded=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
def ask(request):
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.settimeout(20)
    connection.sendall(request)
    told = b""
    while piece := connection.recv(4096):
        told += piece
    return told.decode()
told = ask(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}")
print("1.1:", [line for line in told.split("\r\n") if line.startswith("HTTP/")])
head, _, body = ask(b"GET / HTTP/1.0\r\n\r\n").partition("\r\n\r\n")
print("1.0:", head.split("\r\n")[0], repr(body))
server.shutdown()
END
PYTHONPATH=root/usr/lib/python3/dist-packages timeout 60 /usr/bin/python3 program.py | tee seen
cat >wanted <<'END'
1.1: ['HTTP/1.1 100 Continue', 'HTTP/1.1 100 Continue', 'HTTP/1.1 200 OK']
1.0: HTTP/1.1 200 OK '4\r\ntext\r\n0\r\n\r\n'
END
cmp wanted seen
