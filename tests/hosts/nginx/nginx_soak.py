"""100,000 requests through a pool inside nginx, and what they leave: memory and descriptors of each worker. A tenth of the clients goes away before
its answer. Speaks TAP.   usage: nginx_soak.py [requests]"""
import asyncio
import sys
import time

import nginx
import nginx_test

ROUNDS, CLIENTS = 20, 40
MORE_MEMORY, MORE_DESCRIPTORS = 1.15, 4  # after the first quarter; memory: LuaJIT goes on compiling for a while


async def client(server, number, count):
    """`count` requests over connections that are kept, as browsers do."""
    reader = writer = None
    for n in range(count):
        if n % 10 == 9:
            await nginx.abort(server.port, f"/ask?n={n}", 0)
            continue
        if writer is None:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(f"GET /ask?n={number * 1000000 + n} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        body = await reader.readuntil(b"0\r\n\r\n")
        if f'"n":{number * 1000000 + n}' not in body.decode():
            raise AssertionError(head + body.decode())
    if writer:
        writer.close()


def figures(server):
    return [(nginx.resident(pid), nginx.descriptors(pid)) for pid in sorted(server.workers())]


def soak(world, requests):
    server = world.nginx()
    each = requests // ROUNDS // CLIENTS
    history, start = [], time.monotonic()

    async def one_round():
        await asyncio.gather(*(client(server, number, each) for number in range(CLIENTS)))

    for number in range(1, ROUNDS + 1):
        asyncio.run(one_round())
        nginx.wait_until(lambda: asyncio.run(nginx.get(server.port, "/gc"))["waiting"] == 0, 20)
        history.append(figures(server))
        print(f"# {number * each * CLIENTS:7d} requests, {time.monotonic() - start:4.0f} s: " +
              ", ".join(f"{kilobytes} kB {descriptors} descriptors" for kilobytes, descriptors in history[-1]), flush=True)
    quarter, last = history[ROUNDS // 4], history[-1]
    for (memory, descriptors), (memory_last, descriptors_last) in zip(quarter, last):
        assert memory_last < memory * MORE_MEMORY, f"{memory} kB, then {memory_last} kB"
        assert descriptors_last <= descriptors + MORE_DESCRIPTORS, f"{descriptors} descriptors, then {descriptors_last}"
    same_end = server.end(nginx.signal.SIGQUIT)
    assert same_end == 0, same_end


def main(requests):
    world = nginx_test.World()
    print("1..1", flush=True)
    try:
        soak(world, requests)
        print(f"ok 1 - {requests} requests leave nothing", flush=True)
    except AssertionError as problem:
        print(f"not ok 1 - {requests} requests leave nothing\n# {problem}\n# {world.started.log()[-2000:]}", flush=True)
        return 1
    finally:
        world.started.end()
        world.end()
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100000))
