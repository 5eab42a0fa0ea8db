"""Figures and spans against the real ones: Prometheus reads them from beamlua --metrics-port and from all workers of nginx; a collector made of
OpenTelemetry's own definition takes the spans. Speaks TAP.   usage: monitoring.py (make monitoring)"""
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "nginx"))
import nginx  # noqa: E402  makes the servers' folder known
import nginx_browser_test as browser  # noqa: E402
import serve  # noqa: E402

ASKED = 60
CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
- {{job_name: beamlua, static_configs: [{{targets: ['127.0.0.1:{program}']}}]}}
- {{job_name: nginx, static_configs: [{{targets: ['127.0.0.1:{front}']}}]}}
"""


def same(wanted, got):
    assert wanted == got, f"wanted {wanted!r}, got {got!r}"


class World:
    def __init__(self, folder):
        self.folder, self.children = folder, []
        self.beam, self.beam_port = self.keep(browser.start_beam(folder))
        self.front, self.front_port = self.keep(browser.start_nginx(folder, self.beam_port))
        self.collector, self.collector_port = self.start_collector()
        self.program, self.program_port = self.start_program()
        self.prometheus, self.prometheus_port = self.start_prometheus()

    def keep(self, started):
        self.children.insert(0, started[0])
        return started

    def start_collector(self):
        """Node with OpenTelemetry's package, which npm installs once."""
        place = f"{nginx.ROOT}/build/monitoring"
        os.makedirs(place, exist_ok=True)
        for name in ("package.json", "package-lock.json", "collector.mjs"):
            shutil.copy(f"{HERE}/{name}", place)
        if not os.path.isdir(f"{place}/node_modules/@opentelemetry"):
            subprocess.run(["npm", "ci", "--omit=peer", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=place, check=True, capture_output=True)
        child = subprocess.Popen(["node", "collector.mjs"], cwd=place, stdout=subprocess.PIPE, text=True)
        return self.keep((child, int(child.stdout.readline())))

    def start_program(self):
        port = serve.free_port()
        child = subprocess.Popen([f"{nginx.ROOT}/build/beamlua", "--metrics-port", str(port), f"{HERE}/program.lua"], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True,
                                 env={**os.environ, "BEAM_TOKEN": browser.TOKEN, "BEAM_GATEWAY_URL": f"http://127.0.0.1:{self.beam_port}",
                                      "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.collector_port}", "OTEL_SERVICE_NAME": "tried"})
        self.keep((child, port))
        same("ready\n", child.stdout.readline())
        return child, port

    def start_prometheus(self):
        port = serve.free_port()
        with open(f"{self.folder}/prometheus.yml", "w") as config:
            config.write(CONFIG.format(program=self.program_port, front=self.front_port))
        with open(f"{self.folder}/prometheus.log", "w") as log:
            child = subprocess.Popen(["prometheus", f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/data",
                                      f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
        serve.wait_for(port)
        return self.keep((child, port))

    def query(self, text):
        """Values by their labels that tell them apart."""
        url = f"http://127.0.0.1:{self.prometheus_port}/api/v1/query?query={urllib.parse.quote(text)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            found = json.load(answer)["data"]["result"]
        return {tuple(sorted((name, value) for name, value in one["metric"].items() if name in ("outcome", "worker", "status", "phase"))):
                float(one["value"][1]) for one in found}

    def eventually(self, text, wanted):
        deadline = time.monotonic() + 20
        while self.query(text) != wanted and time.monotonic() < deadline:
            time.sleep(0.3)
        same(wanted, self.query(text))

    def end(self):
        for child in self.children:
            child.terminate()
            child.wait(30)


def well_formed(world):
    """promtool finds nothing to say about what beamlua and nginx serve"""
    for port in (world.program_port, world.front_port):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text = answer.read()
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
        same((0, b"", b""), (checked.returncode, checked.stdout, checked.stderr))


def scrapes_a_program(world):
    """Prometheus has what a program did: calls, their times by part, requests, connections, tasks"""
    world.eventually('up{job="beamlua"}', {(): 1.0})
    world.eventually('beam_calls_total{job="beamlua",outcome="http"}', {(("outcome", "http"),): 1.0})
    world.eventually('beam_requests_total{job="beamlua"}', {(("outcome", "ok"),): 5.0})
    world.eventually('beam_tasks_total{job="beamlua"}', {(("status", "COMPLETE"),): 1.0})
    world.eventually('beam_connection_opening_seconds_count{job="beamlua"}', {(): 1.0})
    assert world.query('beam_calls_total{job="beamlua",outcome="ok"}')[(("outcome", "ok"),)] >= 9
    assert 0 < world.query('histogram_quantile(0.99, beam_call_phase_seconds_bucket{job="beamlua",phase="wait"})')[(("phase", "wait"),)] < 60


def scrapes_nginx(world):
    """Prometheus adds the figures of nginx's workers up to what they did"""
    async def ask():
        for _ in range(ASKED):
            same(200, (await nginx.request(world.front_port, "/ask", "POST", b'{"text": "hi"}'))[0])
    asyncio.run(ask())
    world.eventually('sum by (outcome) (beam_requests_total{job="nginx"})', {(("outcome", "ok"),): float(ASKED)})
    world.eventually('beam_connections{job="nginx",state="open"}', {(("worker", "0"),): 2.0, (("worker", "1"),): 2.0})


def collects(world):
    """every span of a program reaches the collector as it wants it, those of its end as well, and parents are there"""
    world.program.stdin.write("\n")
    world.program.stdin.close()
    same(0, world.program.wait(20))
    spans = []
    world.collector.terminate()
    for line in world.collector.stdout:
        told = json.loads(line)
        assert "problem" not in told, told
        same("tried", told["service"])
        spans += told["spans"]
    names = [span["name"] for span in spans]
    same({"beam.call multiply": 7, "beam.call nothing": 1, "beam.stream generate": 1, "beam.realtime echo": 1, "beam.request echo": 5,
          "beam.submit train": 1, "beam.task": 1}, {name: names.count(name) for name in set(names) if name.startswith("beam.") and name != "beam.api"})
    ids = {span["spanId"]: span for span in spans}
    for span in spans:
        parent = span.get("parentSpanId")
        assert not parent or ids[parent]["traceId"] == span["traceId"], span
    same({2}, {span["status"]["code"] for span in spans if span["name"] == "beam.call nothing"})
    print(f"# {len(spans)} spans")


def main():
    failed = 0
    for program in ("prometheus", "promtool", "node", "npm"):
        if not shutil.which(program):
            print(f"Bail out! there is no {program}: make setup-monitoring")
            return 1
    with tempfile.TemporaryDirectory() as folder:
        world = World(folder)
        tests = (well_formed, scrapes_a_program, scrapes_nginx, collects)
        print(f"1..{len(tests)}")
        try:
            for number, test in enumerate(tests, 1):
                try:
                    test(world)
                    print(f"ok {number} - {test.__doc__}", flush=True)
                except Exception as problem:  # the next one says more
                    failed = 1
                    print(f"not ok {number} - {test.__doc__}\n# {problem!r}", flush=True)
        finally:
            world.end()
    return failed


if __name__ == "__main__":
    sys.exit(main())
