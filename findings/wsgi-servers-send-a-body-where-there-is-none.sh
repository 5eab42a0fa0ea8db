#!/bin/sh
# gunicorn 20.1.0-6+deb12u1 (gthread), python3-waitress 2.1.2-2+deb12u1, python3-cheroot 9.0.0+ds1-2, python3-werkzeug 2.2.2-3+deb12u1 (Debian 12), Python 3.11.
# Guess: an app need not know what HEAD and 204 are about: the server drops the body that it returns, as neither answer has one (RFC 9110, 9.3.2 and 15.3.5).
# Seen: after HEAD all of them send the body, waitress in chunks. gunicorn says keep-alive with it, and the body stands where the next answer begins: a client that
# asks on over this connection reads it as a status line; the others end the connection. With 204 only waitress drops it; gunicorn and cheroot go on after it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download python3-gunicorn=20.1.0-6+deb12u1 python3-waitress=2.1.2-2+deb12u1 python3-cheroot=9.0.0+ds1-2 python3-werkzeug=2.2.2-3+deb12u1 python3-markupsafe \
  python3-jaraco.functools python3-more-itertools python3-six python3-pkg-resources >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >server.py <<'END'
import sys
def app(environ, start):
    start("204 No Content" if environ["PATH_INFO"] == "/204" else "200 OK", [("Content-Type", "text/plain")])
    return iter([b"bo", b"dy"])
name, port = sys.argv[1], int(sys.argv[2])
if name == "waitress":
    import waitress
    waitress.serve(app, host="127.0.0.1", port=port)
elif name == "cheroot":
    from cheroot.wsgi import Server
    Server(("127.0.0.1", port), app).safe_start()
elif name == "werkzeug":
    from werkzeug.serving import run_simple
    run_simple("127.0.0.1", port, app, threaded=True)
else:
    from gunicorn.app.base import BaseApplication
    class Application(BaseApplication):
        def load_config(self):
            for key, value in {"bind": f"127.0.0.1:{port}", "worker_class": "gthread", "threads": 2}.items():
                self.cfg.set(key, value)
        def load(self):
            return app
    Application().run()
END
cat >client.py <<'END'
import socket, subprocess, sys, time
def ask(port, request):
    for _ in range(300):
        try:
            connection = socket.create_connection(("127.0.0.1", port))
            break
        except ConnectionRefusedError:
            time.sleep(0.1)
    connection.settimeout(60)
    connection.sendall(f"{request} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    told = b""
    try:
        while piece := connection.recv(4096):
            told += piece
            connection.settimeout(1.5)
        end = "then the end"
    except TimeoutError:
        end = "kept open"
    return f"{told.partition(bytes.fromhex('0d0a0d0a'))[2].decode()!r}, {end}"
for name in "gunicorn", "waitress", "cheroot", "werkzeug":
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, "server.py", name, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    print(f"{name}: HEAD {ask(port, 'HEAD /')}; 204 {ask(port, 'GET /204')}", flush=True)
    server.terminate()
    server.wait(20)
END
PYTHONPATH=root/usr/lib/python3/dist-packages timeout 150 /usr/bin/python3 client.py | tee seen
cat >wanted <<'END'
gunicorn: HEAD 'body', kept open; 204 'body', kept open
waitress: HEAD '2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n', then the end; 204 '', then the end
cheroot: HEAD 'body', then the end; 204 'body', kept open
werkzeug: HEAD 'body', then the end; 204 'body', then the end
END
cmp wanted seen
