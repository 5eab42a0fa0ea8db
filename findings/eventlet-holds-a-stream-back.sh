#!/bin/sh
# python3-eventlet 0.33.1-4: its wsgi server, beside python3-gevent 22.10.2-3 and wsgiref (Debian 12).
# Guess: each piece that a WSGI app gives is handed to the client before the next is asked for, as PEP 3333 wants of a server ("Buffering and Streaming").
# Seen: eventlet keeps pieces until there are 4096 bytes of them: of a stream of small events the client has nothing, not even the head, until the
# app has ended, and of a longer one it gets several in one go. An app that fails after some pieces is a 500, and its pieces are nowhere.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download python3-eventlet=0.33.1-4 python3-gevent=22.10.2-3 python3-greenlet python3-dnspython python3-zope.event python3-zope.interface \
  python3-pkg-resources python3-six libc-ares2 libev4 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.py <<'END'
import http.client, os, sys, threading, time
name, made = sys.argv[1], 0
def app(environ, start_response):
    global made
    path = environ["PATH_INFO"]
    start_response("200 OK", [("Content-Type", "text/event-stream")])
    for made in range(1, 7):
        yield b"data: " + b"x" * (1500 if path == "/large" else 30) + b"\n\n"
        pause(0.3)
        if path == "/fails" and made == 3:
            raise RuntimeError("the handler failed")
def client(port):
    for path in "/small", "/large", "/fails":
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read(1)
        print(f"{name} {path}: status {answer.status}, the first byte came when {made} of 6 were made", flush=True)
        try:
            answer.read()
        except http.client.IncompleteRead:
            pass
        connection.close()
    os._exit(0)
sys.stderr = open(os.devnull, "w")
if name == "eventlet":
    import eventlet, eventlet.wsgi
    pause, listener = eventlet.sleep, eventlet.listen(("127.0.0.1", 0))
    port, serve = listener.getsockname()[1], lambda: eventlet.wsgi.server(listener, app, log_output=False)
elif name == "gevent":
    import gevent, gevent.pywsgi
    server = gevent.pywsgi.WSGIServer(("127.0.0.1", 0), app, log=None)
    server.init_socket()
    pause, port, serve = gevent.sleep, server.socket.getsockname()[1], server.serve_forever
else:
    import wsgiref.simple_server as simple
    server = simple.make_server("127.0.0.1", 0, app)
    pause, port, serve = time.sleep, server.server_port, server.serve_forever
threading.Thread(target=client, args=(port,), daemon=True).start()
serve()
END
export PYTHONPATH="$folder/root/usr/lib/python3/dist-packages" LD_LIBRARY_PATH="$(echo "$folder"/root/usr/lib/*-linux-gnu)"
for server in eventlet gevent wsgiref; do timeout 40 /usr/bin/python3 program.py $server; done | tee seen
line() { echo "$1 /$2: status $3, the first byte came when $4 of 6 were made"; }
{ line eventlet small 200 6; line eventlet large 200 3; line eventlet fails 500 3
  for other in gevent wsgiref; do for path in small large fails; do line $other $path 200 1; done; done; } | cmp - seen
