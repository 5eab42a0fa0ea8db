#!/bin/sh
# elpa-websocket 1.13-3, emacs-nox 1:28.2+1-15+deb12u4 (Debian 12).
# Guess: a close frame ends the connection, with or without a reason: on-close is called, and nothing after it.
# Seen: of a close frame the first byte or two are taken, and what it carries is read as the next frame: the reason's letters are its opcode and its length. So a
# reason becomes a message that nobody sent, or a ping, told after on-close. A close is not answered, and its code is not told.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download elpa-websocket=1.13-3 emacs-nox=1:28.2+1-15+deb12u4 emacs-common=1:28.2+1-15+deb12u4 emacs-el=1:28.2+1-15+deb12u4 libgccjit0 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >server.py <<'END'
import base64, hashlib, re, socket, subprocess, sys
reasons = (b"", b"bye", b"a new version is being put in place", b"1012: the server starts anew; come back in a minute, please")
with socket.create_server(("127.0.0.1", 0)) as server:
    client = subprocess.Popen([*sys.argv[1:], f"ws://127.0.0.1:{server.getsockname()[1]}/"], stdout=open("told", "w"))
    for reason in reasons:
        connection, _ = server.accept()
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            request += connection.recv(65536)
        key = re.search(rb"sec-websocket-key: (.*)\r", request, re.I)[1]
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %b\r\n\r\n" % accept)
        connection.sendall(b"\x88" + bytes([2 + len(reason)]) + b"\x03\xf4" + reason)
        print(f"it answers {connection.recv(65536)}")
    client.wait()
print(open("told").read(), end="")
END
cat >client.el <<'END'
(require 'websocket)
(let ((address (pop command-line-args-left)))
  (dotimes (_ 4)
    (let ((ended nil))
      (condition-case problem
          (progn
            (websocket-open address
              :on-message (lambda (_ frame) (princ (format "message, %s, %S\n" (websocket-frame-opcode frame) (websocket-frame-payload frame))))
              :on-close (lambda (_) (setq ended t) (princ "on-close\n")))
            (while (not ended) (accept-process-output nil 0.1)))
        (error (princ (format "error: %s\n" (car problem))))))))
END
lisp=$folder/root/usr/share/emacs/28.2
export LD_LIBRARY_PATH=$(echo "$folder"/root/usr/lib/*-linux-gnu) EMACSLOADPATH=$(find "$lisp/lisp" -type d | tr '\n' ':') EMACSDATA=$lisp/etc
timeout 40 python3 server.py root/usr/bin/emacs-nox -Q --batch \
  -L root/usr/share/emacs/site-lisp/elpa-src/websocket-1.13 -l client.el 2>log | tee seen
cat >wanted <<'END'
it answers b''
it answers b''
it answers b''
it answers b''
on-close
on-close
on-close
message, text, "new version is being put in plac"
on-close
message, text, "12: the server starts anew; come back in a minut"
END
cmp wanted seen
