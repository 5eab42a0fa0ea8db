#!/bin/sh
# python3-wsproto 1.2.0-1 (Debian 12); what uvicorn and hypercorn speak when websockets is not there or not chosen.
# Guess: the close codes that it sends are those that it takes.
# Seen: it sends 1014 (registered as "bad gateway") like any other, and calls a peer's 1014 a protocol error: no close frame answers it, and the
# program is told 1002, as if the client had broken the protocol.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download python3-wsproto=1.2.0-1 python3-h11 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.py <<'END'
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection
for code in (1012, 1013, 1014):
    client, server = Connection(ConnectionType.CLIENT), Connection(ConnectionType.SERVER)
    server.receive_data(client.send(CloseConnection(code=code)))
    print(code, "is told as", *(int(event.code) for event in server.events()))
END
PYTHONPATH=$folder/root/usr/lib/python3/dist-packages timeout 20 python3 -S program.py | tee seen
printf '%s\n' '1012 is told as 1012' '1013 is told as 1013' '1014 is told as 1002' | cmp - seen
