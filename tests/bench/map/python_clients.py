"""The same calls through Python.   usage: map_python.py httpx|requests URL COUNT CONCURRENCY   prints calls a second"""
import asyncio
import itertools
import sys
import threading
import time

library, url, count, concurrency = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])


def check(x, response):
    if response.status_code != 200 or "result" not in response.json():
        sys.exit(f"input {x}: {response.status_code}")


async def with_httpx(calls):
    import httpx

    inputs = iter(range(1, calls + 1))
    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    async with httpx.AsyncClient(limits=limits, timeout=60) as client:

        async def work():
            for x in inputs:
                check(x, await client.post(url, json={"x": x}))

        await asyncio.gather(*(work() for _ in range(concurrency)))


def with_requests(calls):
    import requests

    numbers, session = itertools.count(1), requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(pool_connections=1, pool_maxsize=concurrency))

    def work():
        while (x := next(numbers)) <= calls:
            check(x, session.post(url, json={"x": x}))

    threads = [threading.Thread(target=work) for _ in range(concurrency)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


started = time.perf_counter()
if library == "httpx":
    asyncio.run(with_httpx(count))
else:
    with_requests(count)
print("%.0f" % (count / (time.perf_counter() - started)))
