#!/bin/sh
# libulfius2.7 2.7.13-1 on libmicrohttpd12 0.9.75-6 (Debian 12), gcc.
# Guess: ulfius_websocket_send_fragmented_message sends a text of ten bytes in pieces of three as a text frame and three continuations, the last of them
# final; ulfius_websocket_send_message(…, U_WEBSOCKET_OPCODE_CLOSE, …) sends the close frame that it is given, 4001 and a reason, and
# ulfius_stop_framework says 1001 (going away) or some other code (RFC 6455, 5.4 and 7.4.1).
# Seen: the first frame is a continuation, too, so that there is no message for it to continue, and a client has to end the connection at it. A close has no
# code, whatever was given, and a stop has none: each of them is 1005 for a client, an end that was meant, and those that come back only after a loss stay away.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download libulfius2.7=2.7.13-1 libulfius-dev=2.7.13-1 libmicrohttpd12=0.9.75-6 libmicrohttpd-dev=0.9.75-6 liborcania2.3 liborcania-dev libyder2.0 libyder-dev \
  libjansson4 libjansson-dev libcurl3-gnutls >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >server.c <<'END'
#include <stdlib.h>
#include <ulfius.h>
#include <unistd.h>
static void read_message(const struct _u_request *request, struct _websocket_manager *manager, const struct _websocket_message *message, void *data) {
  (void)request, (void)data;
  if (message->opcode != U_WEBSOCKET_OPCODE_TEXT) return;
  if (message->data_len == 5) ulfius_websocket_send_fragmented_message(manager, U_WEBSOCKET_OPCODE_TEXT, 10, "0123456789", 3);
  else ulfius_websocket_send_message(manager, U_WEBSOCKET_OPCODE_CLOSE, 12, "\x0f\xa1superseded");
}
static int upgrade(const struct _u_request *request, struct _u_response *response, void *data) {
  (void)request, (void)data;
  ulfius_set_websocket_response(response, NULL, NULL, NULL, NULL, read_message, NULL, NULL, NULL);
  return U_CALLBACK_CONTINUE;
}
int main(int count, char **arguments) {
  struct _u_instance instance;
  char byte;
  (void)count;
  ulfius_init_instance(&instance, atoi(arguments[1]), NULL, NULL);
  ulfius_add_endpoint_by_val(&instance, "GET", "/", NULL, 0, upgrade, NULL);
  if (ulfius_start_framework(&instance) != U_OK) return 1;
  (void)!read(0, &byte, 1);
  ulfius_stop_framework(&instance);
  ulfius_clean_instance(&instance);
}
END
cat >client.py <<'END'
import socket, subprocess, time
def connect(port):
    for _ in range(100):
        try:
            connection = socket.create_connection(("127.0.0.1", port))
            break
        except ConnectionRefusedError:
            time.sleep(0.1)
    connection.settimeout(20)
    connection.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    stream = connection.makefile("rb")
    while stream.readline().strip():
        pass
    return connection, stream
def frames(stream, count):
    for _ in range(count):
        start = stream.read(2)
        yield start[0] & 15, start[0] >> 7, stream.read(start[1])
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
server = subprocess.Popen(["./server", str(port)], stdin=subprocess.PIPE)
connection, stream = connect(port)
connection.sendall(b"\x81\x85\0\0\0\0parts")
for opcode, final, payload in frames(stream, 4):
    print("opcode", opcode, "final" if final else "not final", payload.decode())
connection.sendall(b"\x81\x83\0\0\0\0end")
print("close(4001):", *frames(stream, 1))
connection.sendall(b"\x88\x80\0\0\0\0")
connection, stream = connect(port)
connection.sendall(b"\x81\x85\0\0\0\0parts")
list(frames(stream, 4))
server.communicate(b"\n", timeout=20)
print("a stop:", *frames(stream, 1))
END
library=$(echo "$folder"/root/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH="$library"
gcc -I root/usr/include server.c -o server -L"$library" -lulfius
timeout 100 /usr/bin/python3 client.py | tee seen
printf '%s\n' 'opcode 0 not final 012' 'opcode 0 not final 345' 'opcode 0 not final 678' 'opcode 0 final 9' "close(4001): (8, 1, b'')" "a stop: (8, 1, b'')" | cmp - seen
