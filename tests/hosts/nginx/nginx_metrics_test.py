"""scripts/nginx tells Prometheus the figures of all workers, whichever is asked; spans of requests reach a collector. Speaks TAP."""
import asyncio
import http.server
import json
import os
import re
import signal
import sys
import tempfile
import threading
import time
import traceback

import nginx
import nginx_browser_test as browser

REQUESTS = 200
TRACED = """
  init_worker_by_lua_block {{{{
    require("beam").setup {{{{ drain = 2 }}}}
    local beam = require "beam"
    client = beam.client {{{{ gateway = "http://127.0.0.1:{beam}", token = "{token}", on_span = beam.otlp {{{{
      endpoint = "http://127.0.0.1:{collector}", service = "front", every = 60 }}}} }}}}
  }}}}
  server {{{{
    listen 127.0.0.1:{{port}};
    location = /double {{{{ content_by_lua_block {{{{
      ngx.say(assert(client.call("multiply", {{{{ x = 21 }}}}, {{{{ traceparent = ngx.var.http_traceparent }}}})).result)
    }}}} }}}}
  }}}}
"""


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


class Collector:
    """Keeps the spans that it is sent."""

    def __init__(self):
        self.spans = spans = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                value = json.loads(self.rfile.read(int(self.headers["content-length"])))
                spans.extend(span for scope in value["resourceSpans"][0]["scopeSpans"] for span in scope["spans"])
                self.send_response(200)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def spans(folder, beam_port):
    """requests of two workers go on with their callers' traces; what has not been sent when nginx quits is sent then"""
    collector = Collector()
    config = TRACED.format(beam=beam_port, token=browser.TOKEN, collector=collector.server.server_port)
    front = nginx.Nginx(f"{folder}/traced", config, 2)
    try:
        traces = [f"{number:032x}" for number in range(1, 21)]

        async def ask(trace):
            same((200, "42\n"), await nginx.request(front.port, "/double", headers=f"traceparent: 00-{trace}-00f067aa0ba902b7-01\r\n"))

        async def ask_all():
            await asyncio.gather(*(ask(trace) for trace in traces))

        asyncio.run(ask_all())
        same([], collector.spans)
    finally:
        code = front.end(signal.SIGQUIT)
    same(0, code)
    whole = [span for span in collector.spans if span["name"] == "beam.call multiply"]
    same(traces, sorted(span["traceId"] for span in whole))
    same({"00f067aa0ba902b7"}, {span["parentSpanId"] for span in whole})
    same(2 * len(traces), len(collector.spans))
    assert "[error]" not in front.log() and "[alert]" not in front.log(), front.log()


def main():
    beam = front = None
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        try:
            beam, beam_port = browser.start_beam(folder)
            front, port = browser.start_nginx(folder, beam_port)
            print("1..3")
            for number, test in enumerate((counts, reloads, spans), 1):
                try:
                    if test is spans:
                        test(folder, beam_port)
                    else:
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
