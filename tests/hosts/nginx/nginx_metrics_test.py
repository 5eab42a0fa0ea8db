"""scripts/nginx tells Prometheus the figures of all workers, whichever is asked. Speaks TAP."""
import asyncio
import json
import os
import re
import signal
import sys
import tempfile
import time
import traceback

import nginx
import nginx_browser_test as browser

REQUESTS = 200


def same(wanted, got):
    assert wanted == got, f"wanted {wanted!r}, got {got!r}"


async def figures(port):
    """What /metrics says: families as they stand there, and samples by name and labels."""
    status, text = await nginx.request(port, "/metrics")
    same(200, status)
    samples = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            assert name not in samples, f"{name} stands there twice"
            samples[name] = float(value)
    return re.findall("^# TYPE ([a-z_]+) ", text, re.MULTILINE), samples


def answered(samples):
    return [samples.get(f'beam_requests_total{{worker="{number}",outcome="ok"}}', 0) for number in (0, 1)]


async def ask(port):
    status, text = await nginx.request(port, "/ask", "POST", b'{"text": "hi"}')
    same(200, status)
    return json.loads(text)["worker"]


async def counts(port, _):
    """each worker's figures have its label, are of that worker alone, and together they are all"""
    by_worker = {}
    for _ in range(REQUESTS):  # one after the other: which worker takes them is the system's choice
        worker = await ask(port)
        by_worker[worker] = by_worker.get(worker, 0) + 1
    deadline = time.monotonic() + 10
    while True:
        families, samples = await figures(port)
        if sum(answered(samples)) == REQUESTS or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.1)
    same(sorted(by_worker.values()), sorted(count for count in answered(samples) if count))
    same(len(families), len(set(families)))
    assert "beam_request_seconds" in families
    for number in (0, 1):
        same(2, samples[f'beam_connections{{worker="{number}",state="open"}}'])
        same(answered(samples)[number], samples[f'beam_request_seconds_count{{worker="{number}"}}'])
    same([], [name for name in samples if 'worker="' not in name])


async def reloads(port, front):
    """after a reload the new workers speak, and those that leave do not speak for them"""
    front.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 20
    while True:
        _, samples = await figures(port)
        if sum(answered(samples)) == 0 or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.1)
    same([0, 0], answered(samples))
    for _ in range(10):
        await ask(port)
    for _ in range(20):
        await asyncio.sleep(0.1)
        _, samples = await figures(port)
        assert sum(answered(samples)) <= 10, samples
    same(10, sum(answered(samples)))


def main():
    beam = front = None
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        try:
            beam, beam_port = browser.start_beam(folder)
            front, port = browser.start_nginx(folder, beam_port)
            print("1..2")
            for number, test in enumerate((counts, reloads), 1):
                try:
                    asyncio.run(test(port, front))
                    print(f"ok {number} - {test.__doc__}", flush=True)
                except Exception:  # the next one says more
                    failed = 1
                    print(f"not ok {number} - {test.__doc__}", flush=True)
                    print("".join(f"# {line}\n" for line in traceback.format_exc().splitlines()[-12:]), flush=True)
                    log = f"{folder}/error.log"
                    print("".join(f"# {line}" for line in open(log).readlines()[-12:]) if os.path.exists(log) else "", flush=True)
        finally:
            for child in (front, beam):
                if child:
                    child.terminate()
                    child.wait(20)
    return failed


if __name__ == "__main__":
    sys.exit(main())
