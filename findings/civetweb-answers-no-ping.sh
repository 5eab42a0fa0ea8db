#!/bin/sh
# libcivetweb1 1.15+dfsg-4 (Debian 12).
# Guess: a server's library answers a ping and a close frame by itself (RFC 6455, 5.5.1 and 5.5.2), and ends with a close frame where a handler says "enough".
# Seen: by default a ping is data for the handler, bits 0x89, and goes unanswered: a client that asks whether its server lives takes it for dead, and comes
# back, again and again. With the option enable_websocket_ping_pong it is answered. A close frame is answered in no case, and where the handler returns 0, the
# end it has for "close", TCP just ends: each end is a loss (1006) to the client.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download libcivetweb1=1.15+dfsg-4 libcivetweb-dev=1.15+dfsg-4 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >server.c <<'END'
#include <civetweb.h>
#include <stdio.h>
#include <unistd.h>
static int take(const struct mg_connection *connection, void *data) { (void)connection, (void)data; return 0; }
static void ready(struct mg_connection *connection, void *data) { (void)connection, (void)data; }
static int echo(struct mg_connection *connection, int bits, char *text, size_t length, void *data) {
    (void)data;
    if ((bits & 15) == 1) mg_websocket_write(connection, 1, text, length);
    return text[0] != 'q'; /* 0: close */
}
int main(int count, char **arguments) {
    const char *options[] = {"listening_ports", "127.0.0.1:0", count > 1 ? arguments[1] : NULL, "yes", NULL};
    mg_init_library(0);
    struct mg_context *context = mg_start(NULL, NULL, options);
    struct mg_server_port port;
    if (!context || mg_get_server_ports(context, 1, &port) != 1) return 1;
    mg_set_websocket_handler(context, "/", take, ready, echo, NULL, NULL);
    printf("%d\n", port.port);
    fflush(stdout);
    for (;;) pause();
}
END
library=$(echo root/usr/lib/*/libcivetweb.so.1)
gcc -Iroot/usr/include server.c -o server "$library" -Wl,--allow-shlib-undefined
cat >program.py <<'END'
import base64, os, socket, subprocess
def frame(opcode, payload):
    return bytes([0x80 | opcode, 0x80 | len(payload), 0, 0, 0, 0]) + payload # the mask is 0
for options in ([], ["enable_websocket_ping_pong"]):
    server = subprocess.Popen(["./server", *options], stdout=subprocess.PIPE)
    port = int(server.stdout.readline())
    for name, sent in (("text", frame(1, b"a")), ("ping", frame(9, b"p")), ("close with 4001", frame(8, b"\x0f\xa1")), ("quit", frame(1, b"quit"))):
        with socket.create_connection(("127.0.0.1", port), timeout=3) as connection:
            connection.sendall((f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n\r\n").encode())
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += connection.recv(1)
            connection.settimeout(1)
            connection.sendall(sent)
            answer, end = b"", "TCP ended"
            try:
                while part := connection.recv(4096):
                    answer += part
            except TimeoutError:
                end = "and it stays"
            print(*options, f"{name}: {answer} {end}")
    server.kill()
END
LD_LIBRARY_PATH=$(dirname "$folder/$library") timeout 30 python3 program.py | tee seen
cat >wanted <<'END'
text: b'\x81\x01a' and it stays
ping: b'' and it stays
close with 4001: b'' TCP ended
quit: b'\x81\x04quit' TCP ended
enable_websocket_ping_pong text: b'\x81\x01a' and it stays
enable_websocket_ping_pong ping: b'\x8a\x01p' and it stays
enable_websocket_ping_pong close with 4001: b'' TCP ended
enable_websocket_ping_pong quit: b'\x81\x04quit' TCP ended
END
cmp wanted seen
