"""A port for a server that can only be told a number. One that the kernel has just given and got back it gives to whoever asks next, as every test that
connects or listens does: so it is none of those that it gives, and no other test, of a second suite either, has it until this process ends.
usage: ports.py   prints one
"""
import random
import socket

kept = []


def given_by_the_kernel():
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
            first, last = map(int, file.read().split())
    except OSError:
        first, last = 32768, 60999
    return range(first, last + 1)


def keep(port):
    """Whether the port is ours now: a name that only one process has at a time, wherever its root is."""
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0beam-test-port-{port}")
    except OSError:
        name.close()
        return False
    kept.append(name)
    return True


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port():
    others = given_by_the_kernel()
    low = [port for port in range(10000, 32768) if port not in others] or list(range(10000, 65536))
    for port in random.sample(low, len(low)):
        if keep(port) and is_free(port):
            return port
    raise OSError("no port is free")


if __name__ == "__main__":
    print(free_port())
