#!/bin/sh
# r-cran-httpuv 1.6.9+dfsg-1, r-base-core 4.2.2.20221110-2 (Debian 12).
# Guess: an upgrade that onHeaders answers with 403 is refused: that answer and nothing else (its documentation: who returns a response there ends the request). A
# client's close frame is answered by one (RFC 6455, 5.5.1), and an answer to HEAD is its head.
# Seen: behind the head of the 403 stands a whole head of a 101, and then the body: a client that reads the seven bytes that were promised reads "HTTP/1." for the
# reason, and the rest stands where the next answer begins. A close frame is answered by the end of TCP: 1006 after each close that was meant. HEAD's answer has a body.
set -eu
folder=$(mktemp -d)
trap 'kill $(cat "$folder/pid" 2>/dev/null) 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
apt-get download r-cran-httpuv=1.6.9+dfsg-1 r-base-core=4.2.2.20221110-2 r-cran-rcpp r-cran-r6 r-cran-rlang r-cran-later r-cran-magrittr r-cran-promises \
  libblas3 liblapack3 libgfortran5 libquadmath0 libgomp1 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >server.R <<'END'
library(httpuv)
text <- function(status, body) list(status = status, headers = list("Content-Type" = "text/plain"), body = body)
app <- list(
  onHeaders = function(request) if (request$PATH_INFO == "/refused") text(403L, "not you") else NULL,
  call = function(request) text(200L, "body"),
  onWSOpen = function(connection) connection$onMessage(function(binary, message) connection$send(message)))
port <- as.integer(Sys.getenv("PORT"))
server <- startServer("127.0.0.1", port, app)
ends <- Sys.time() + 100
while (Sys.time() < ends) service(200)
END
cat >client.py <<'END'
import socket, time, sys
port = int(sys.argv[1])
def connect(request, upgrade=True):
    for _ in range(600):
        try:
            connection = socket.create_connection(("127.0.0.1", port))
            break
        except ConnectionRefusedError:
            time.sleep(0.1)
    connection.settimeout(3)
    fields = ("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
              "Sec-WebSocket-Version: 13\r\n") if upgrade else ""
    connection.sendall(f"{request} HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}\r\n".encode())
    return connection
def read(connection):
    told = b""
    try:
        while piece := connection.recv(4096):
            told += piece
    except TimeoutError:
        pass
    return [line for line in told.decode().split("\r\n") if line and not line.startswith("Date:")]
print("refused:", read(connect("GET /refused")))
connection = connect("GET /")
while not connection.recv(4096).endswith(b"\r\n\r\n"):
    pass
connection.sendall(b"\x88\x82\0\0\0\0\x0f\xa1")
print("close:", connection.recv(100))
print("HEAD:", read(connect("HEAD /", upgrade=False)))
END
PORT=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
library=$(echo "$folder"/root/usr/lib/*-linux-gnu)
R_HOME="$folder/root/usr/lib/R"
R_LIBS="$R_HOME/site-library:$R_HOME/library"
export PORT R_HOME R_LIBS R_DEFAULT_PACKAGES=methods EDITOR=vi PAGER=cat R_PAPERSIZE=a4 R_BROWSER=false R_PDFVIEWER=false R_PRINTCMD=lpr
export R_UNZIPCMD=unzip R_ZIPCMD=zip TAR=tar SED=sed
LD_LIBRARY_PATH="$R_HOME/lib:$library:$library/blas:$library/lapack" timeout 150 "$R_HOME/bin/exec/R" --no-echo --no-restore --vanilla --file=server.R </dev/null >log 2>&1 &
echo $! >pid
timeout 120 /usr/bin/python3 client.py "$PORT" | tee seen
cat >wanted <<'END'
refused: ['HTTP/1.1 403 Forbidden', 'Content-Type: text/plain', 'Content-Length: 7', 'HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=', 'not you']
close: b''
HEAD: ['HTTP/1.1 200 OK', 'Content-Type: text/plain', 'Content-Length: 4', 'body']
END
cmp wanted seen
