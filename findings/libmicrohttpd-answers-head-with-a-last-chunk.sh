#!/bin/sh
# libmicrohttpd12 0.9.75-6 (Debian 12), gcc.
# Guess: an answer to HEAD ends with its head (RFC 9112, 6.3), also where the body that GET would have is made piece by piece, of a length that nobody knows yet.
# Seen: "Transfer-Encoding: chunked", and behind the head the last chunk, "0" and two line ends. They are no part of an answer: they stand where the next answer
# of the kept connection begins, whose status line they then are for a client that takes what stands there for it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download libmicrohttpd12=0.9.75-6 libmicrohttpd-dev=0.9.75-6 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >server.c <<'END'
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static ssize_t next_piece(void *state, uint64_t at, char *room, size_t size) {
  (void)state;
  if (at >= 10 || size < 5) return MHD_CONTENT_READER_END_OF_STREAM;
  memcpy(room, "piece", 5);
  return 5;
}
static enum MHD_Result answer(void *state, struct MHD_Connection *connection, const char *url, const char *method, const char *version, const char *data,
                              size_t *size, void **seen) {
  static int begun;
  struct MHD_Response *response;
  enum MHD_Result queued;
  (void)state, (void)url, (void)method, (void)version, (void)data, (void)size;
  if (*seen == NULL) {
    *seen = &begun;
    return MHD_YES;
  }
  response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1024, next_piece, NULL, NULL);
  queued = MHD_queue_response(connection, MHD_HTTP_OK, response);
  MHD_destroy_response(response);
  return queued;
}
int main(int count, char **arguments) {
  char byte;
  (void)count;
  if (MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, atoi(arguments[1]), NULL, NULL, answer, NULL, MHD_OPTION_END) == NULL) return 1;
  (void)!read(0, &byte, 1);
  return 0;
}
END
cat >client.py <<'END'
import socket, subprocess, time
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
server = subprocess.Popen(["./server", str(port)], stdin=subprocess.PIPE)
for _ in range(100):
    try:
        connection = socket.create_connection(("127.0.0.1", port))
        break
    except ConnectionRefusedError:
        time.sleep(0.1)
connection.settimeout(20)
stream = connection.makefile("rb")
connection.sendall(b"HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
while (line := stream.readline().strip()):
    if not line.startswith(b"Date:"):
        print("HEAD:", line.decode())
connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
print("then:", stream.readline(), stream.readline(), stream.readline())
server.communicate(b"\n", timeout=20)
END
library=$(echo "$folder"/root/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH="$library"
gcc -I root/usr/include server.c -o server "$library"/libmicrohttpd.so.12
timeout 60 /usr/bin/python3 client.py | tee seen
printf '%s\n' 'HEAD: HTTP/1.1 200 OK' 'HEAD: Transfer-Encoding: chunked' "then: b'0\\r\\n' b'\\r\\n' b'HTTP/1.1 200 OK\\r\\n'" | cmp - seen
