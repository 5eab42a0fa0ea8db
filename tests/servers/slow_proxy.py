"""A TCP proxy that is slow, with small buffers, so that a message moves for as long as it takes.
usage: slow_proxy.py PORT BYTES_A_SECOND     prints port=N and ready; ends when nobody reads that any more"""
import select
import socket
import sys
import threading
import time

TICK = 0.02


def relay(source, target, rate):
    piece = max(1, int(rate * TICK))
    try:
        while True:
            began = time.monotonic()
            data = source.recv(piece)
            if not data:
                break
            target.sendall(data)
            time.sleep(max(0, len(data) / rate - (time.monotonic() - began)))
    except OSError:
        pass
    for end in source, target:
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(client, port, rate):
    try:
        server = socket.create_connection(("127.0.0.1", port))
    except OSError:
        client.close()
        return
    for source, target in (client, server), (server, client):
        source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=relay, args=(source, target, rate), daemon=True).start()


def accept(listener, port, rate):
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, port, rate), daemon=True).start()


def main():
    port, rate, reader = int(sys.argv[1]), float(sys.argv[2]), select.poll()
    listener = socket.socket()
    for option in socket.SO_RCVBUF, socket.SO_SNDBUF:
        listener.setsockopt(socket.SOL_SOCKET, option, 8192)
    listener.bind(("127.0.0.1", 0))
    listener.listen(16)
    print("port=%d\nready" % listener.getsockname()[1], flush=True)
    threading.Thread(target=accept, args=(listener, port, rate), daemon=True).start()
    reader.register(sys.stdout, 0)  # POLLERR: nobody reads it any more
    reader.poll()


main()
