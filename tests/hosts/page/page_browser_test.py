#!/usr/bin/env python3
"""The page of the local Beam in a real browser: used as a person uses it, by keyboard too, and from pages that must not reach it.
usage: page_browser_test.py [folder for the pictures, default build]"""
import asyncio
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading

import websockets

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
sys.path.insert(0, ROOT + "/tests/hosts")
import browser

os.chdir(ROOT)


class Beam:
    """beamlua serve with a token of its own."""

    def __init__(self, folder):
        self.process = subprocess.Popen(["build/beamlua", "serve", "--port", "0", "--quiet"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                        env={**os.environ, "HOME": folder})
        first, second = self.process.stdout.readline(), self.process.stdout.readline()
        self.port = int(re.search(r"127.0.0.1:(\d+)", first).group(1))
        self.token = re.search(r"token (local-\w+);", first).group(1)
        self.link = re.match(r"page: (\S+)$", second).group(1)


def foreign_site():
    """A site of somebody else's, on the same machine because there is no other."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<title>evil</title>")

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def text_of(id):
    return f"document.getElementById({json.dumps(id)}).innerText"


async def pick(page, name):
    await page.value(f"[...document.querySelectorAll('#deployments button')].find((b) => b.innerText.startsWith({json.dumps(name)})).click()")


async def call(page, name, input):
    await pick(page, name)
    await page.value(f"document.getElementById('input').value = {json.dumps(input)}; document.getElementById('send').click()")
    await page.wait("!document.getElementById('send').disabled && document.getElementById('outcome').innerText !== 'waiting'")
    return await page.value(text_of("outcome")), await page.value(text_of("answer"))


async def opens(page, beam):
    """the link that was shown opens it, and the token leaves the address bar"""
    await page.wait("document.getElementById('status')?.innerText === 'live'")
    assert beam.token not in await page.value("location.href")
    names = await page.value("[...document.querySelectorAll('#deployments button')].map((b) => b.firstChild.textContent).join(' ')")
    assert names == "echo multiply generate train", names


async def calls(page, _):
    """an endpoint is called, its status and its answer are shown; a bad input too"""
    outcome, answer = await call(page, "multiply", '{"x": 21}')
    assert outcome.startswith("200 OK in ") and json.loads(answer) == {"result": 42}, (outcome, answer)
    outcome, answer = await call(page, "multiply", "[1")
    assert outcome.startswith("400 ") and "invalid request payload" in answer, (outcome, answer)
    outcome, answer = await call(page, "generate", '{"prompt": "one two three", "delay": 0.02}')
    assert outcome.startswith("200") and answer.count("data: ") == 3, (outcome, answer)


async def talks(page, _):
    """a realtime app is talked to, is in the list of connections, and is reset from there"""
    await pick(page, "echo")
    await page.value("document.getElementById('connect').click()")
    await page.wait("document.getElementById('talk-state').innerText === 'open'")
    await page.value("document.getElementById('message').value = '{\"word\": \"<b>hi</b>\"}'; document.getElementById('say').click()")
    await page.wait(text_of("messages") + ".includes('← {\"response\":{\"word\":\"<b>hi</b>\"}}')")
    await page.wait("document.querySelectorAll('#connections button').length === 6")
    await page.picture(page.folder + "/talk.png")
    await page.value("[...document.querySelectorAll('#connections button')].find((b) => b.innerText === 'reset').click()")
    await page.wait("document.getElementById('talk-state').innerText === 'closed with 1006'")
    await page.wait(text_of("connections") + ".includes('Nobody is connected')")


async def tasks(page, beam):
    """a task is submitted, seen to run and to end, its files and its result are there; another is cancelled"""
    outcome, answer = await call(page, "train", '{"steps": 3, "delay": 0.2}')
    id = json.loads(answer)["task_id"]
    assert outcome.startswith("200"), outcome
    row = f"[...document.querySelectorAll('#tasks tr')].find((r) => r.innerText.includes('{id[:8]}'))"
    await page.wait(row + "?.innerText.includes('RUNNING')")
    await page.wait(row + "?.innerText.includes('COMPLETE')")
    assert await page.value(row + ".querySelectorAll('a[download]').length") == 2
    length = await page.value(f"fetch({row}.querySelector('a').href).then((r) => r.text()).then((t) => t.length)")
    assert length > 10, length
    await page.value(row + ".querySelector('button').click()")
    await page.wait(row + "?.innerText.includes('\"steps\":3')")
    _, answer = await call(page, "train", '{"steps": 300, "delay": 0.2}')
    row = f"[...document.querySelectorAll('#tasks tr')].find((r) => r.innerText.includes('{json.loads(answer)['task_id'][:8]}'))"
    await page.wait(f"Boolean({row}?.querySelector('button'))")
    await page.value(row + ".querySelector('button').click()")
    await page.wait(row + "?.innerText.includes('CANCELLED')")


async def faults(page, _):
    """faults are switched on and off; what is none is said"""
    switch = "[...document.querySelectorAll('#switches label')].find((l) => l.innerText.startsWith('status=503')).querySelector('input')"
    await page.value(switch + ".click()")
    await page.wait("document.getElementById('fault-text').value === 'status=503'")
    outcome, _ = await call(page, "multiply", '{"x": 1}')
    assert outcome.startswith("503"), outcome
    await page.value(switch + ".click()")
    await page.wait("document.getElementById('fault-text').value === ''")
    outcome, _ = await call(page, "multiply", '{"x": 1}')
    assert outcome.startswith("200"), outcome
    set_text = "document.getElementById('fault-text').value = '{}'; document.querySelector('#faults button').click()"
    await page.value(set_text.replace("{}", "explode"))
    await page.wait(text_of("fault-problem") + ".includes(\"'explode': there is no such fault\")")
    await page.value(set_text.replace("{}", "latency=20ms..50ms@50%"))
    await page.wait(text_of("fault-problem") + " === ''")
    await page.value(set_text.replace("{}", ""))
    await page.wait("document.querySelectorAll('#switches input:checked').length === 0")


async def log(page, _):
    """the log comes live, with what was logged before"""
    await page.wait(text_of("log") + ".includes('POST /endpoint/multiply/v1 200')")
    assert "/local/" not in await page.value(text_of("log"))


async def key(page, name, code, modifiers=0, text=None):
    for kind in ("keyDown", "keyUp"):
        more = {"text": text} if text and kind == "keyDown" else {}
        await page.call("Input.dispatchKeyEvent", type=kind, key=name, windowsVirtualKeyCode=code, modifiers=modifiers, **more)


async def keyboard(page, _):
    """all of it can be done by keyboard: each control is reached, Ctrl-Enter calls, and the focus stays while the lists change"""
    await page.value("document.activeElement.blur(); document.querySelector('.skip').focus()")
    reached = []
    for _ in range(40):
        reached.append(await page.value("document.activeElement.id || document.activeElement.dataset.key || document.activeElement.className"))
        await key(page, "Tab", 9)
    for wanted in ("input", "send", "cold=3s", "runner=unavailable", "fault-text", "log"):
        assert wanted in reached, (wanted, reached)
    await pick(page, "multiply")
    await page.value("document.getElementById('input').value = '{\"x\": 4}'; document.getElementById('outcome').innerText = ''; document.getElementById('input').focus()")
    await key(page, "Enter", 13, modifiers=2)
    await page.wait(text_of("answer") + ".includes('8')")
    await page.value("document.querySelector('#deployments button').focus(); window.focused = document.activeElement.dataset.key")
    await page.value("fetch('/endpoint/multiply', { method: 'POST', headers: credentials(), body: '{\"x\":1}' }).then(() => 1)")
    await asyncio.sleep(0.6)
    assert await page.value("document.activeElement.dataset.key === window.focused")


async def names(page, _):
    """a screen reader has a name for everything that can be used, and headings and landmarks to go by"""
    tree = (await page.call("Accessibility.getFullAXTree"))["nodes"]
    roles = {}
    for node in tree:
        role, name = node.get("role", {}).get("value"), node.get("name", {}).get("value", "")
        roles.setdefault(role, []).append(name)
    for role in ("button", "textbox", "checkbox", "link", "log", "region"):
        assert all(roles.get(role, [])), (role, roles.get(role))
    assert len(roles["heading"]) >= 7 and {"main", "banner"} <= set(roles), sorted(map(str, roles))


async def alone(page, beam):
    """it fetches nothing but from its own server, and breaks no rule of its own policy"""
    urls = await page.value("performance.getEntriesByType('resource').map((e) => e.name).filter((n) => !n.startsWith('data:')).join(' ')")
    assert all(url.startswith(f"http://127.0.0.1:{beam.port}/") for url in urls.split()), urls
    problems = [event for event in page.events if event.get("method") == "Log.entryAdded" and event["params"]["entry"]["source"] in ("security", "javascript")]
    assert not problems, problems
    thrown = [event for event in page.events if event.get("method") == "Runtime.exceptionThrown"]
    assert not thrown, thrown


async def pictures(page, _):
    """how it looks: by day, by night, and on a narrow screen, without anything that is cut off"""
    await pick(page, "generate")
    await call(page, "generate", '{"prompt": "a page for the local Beam", "delay": 0.02}')
    await page.value("window.more = new WebSocket('ws://' + location.host + '/asgi/echo?auth_token=' + encodeURIComponent(token))")
    await page.wait("document.querySelectorAll('#connections button').length === 6")
    await page.value("document.activeElement.blur(); window.scrollTo(0, 0)")
    for name, scheme, width, height in (("serve-page", "light", 1440, 1420), ("serve-page-dark", "dark", 1440, 1420), ("serve-page-narrow", "light", 400, 900)):
        await page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        await page.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        await asyncio.sleep(0.5)
        wide = await page.value("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, (name, wide)
        await page.picture(f"{page.folder}/{name}.png")
    await page.call("Emulation.clearDeviceMetricsOverride")
    await page.value("window.more.close()")


async def login(page, beam):
    """without the link it asks for the token, and refuses a wrong one"""
    await page.value("sessionStorage.clear()")
    await page.call("Page.navigate", url=f"http://127.0.0.1:{beam.port}/")
    await page.wait("document.getElementById('status')?.innerText === 'token wanted'")
    for token, wanted in (("wrong", "token wanted"), (beam.token, "live")):
        await page.value(f"document.getElementById('token').value = {json.dumps(token)}; document.querySelector('#login button').click()")
        await asyncio.sleep(0.3)
        await page.wait(f"document.getElementById('status').innerText === {json.dumps(wanted)}")
    assert await page.value("document.getElementById('login').hidden")


async def strangers(page, beam):
    """a page of another site reaches nothing: not by its own name pointed here, nor by a call, a WebSocket, a form or a frame"""
    await page.call("Page.navigate", url=f"http://rebound.example:{beam.port}/")
    await page.wait("document.body.innerText.includes('Forbidden')")
    await page.call("Page.navigate", url=f"http://evil.example:{page.foreign}/")
    await page.wait("document.title === 'evil'")
    base = f"127.0.0.1:{beam.port}"
    for path in ("/", "/local/events", "/endpoint/multiply?x=1", "/api/v1/health"):
        fetched = f"fetch('http://{base}{path}', {{ headers: {{ Authorization: 'Bearer {beam.token}' }} }}).then((r) => r.status, () => 'refused')"
        assert await page.value(fetched) == "refused", path
        simple = f"fetch('http://{base}{path}', {{ method: 'POST', mode: 'no-cors', body: '{{}}' }}).then((r) => r.status, () => 'refused')"
        assert await page.value(simple) in (0, "refused"), path
    for path in ("/asgi/echo", "/local/events"):
        opened = f"new Promise((done) => {{ const s = new WebSocket('ws://{base}{path}?auth_token={beam.token}'); s.onopen = () => done('open'); s.onerror = () => done('refused'); }})"
        assert await page.value(opened) == "refused", path
    framed = f"new Promise((done) => {{ const f = document.createElement('iframe'); f.src = 'http://{base}/'; f.onload = () => {{ try {{ done(f.contentDocument ? 'blank' : 'other'); }} catch {{ done('other'); }} }}; document.body.append(f); }})"
    assert await page.value(framed) == "other"
    assert "Try it" not in await page.value("document.body.innerText")
    await page.call("Page.navigate", url=f"http://127.0.0.1:{beam.port}/#token={beam.token}")
    await page.wait("document.getElementById('status')?.innerText === 'live'")
    ran = await page.value(text_of("log") + ".split('\\n').filter((l) => / 200 /.test(l) && /multiply\\?| multiply 200/.test(l)).length")
    assert ran == 0, ran


TESTS = [opens, calls, talks, tasks, faults, log, keyboard, names, alone, pictures, login, strangers]


async def visit(url, beam, foreign, folder):
    failed = 0
    async with websockets.connect(url, max_size=None) as socket:
        page = browser.Page(socket)
        page.foreign, page.folder = foreign, folder
        for domain in ("Page", "Runtime", "Log"):
            await page.call(domain + ".enable")
        await page.call("Page.navigate", url=beam.link)
        print(f"1..{len(TESTS)}", flush=True)
        for number, test in enumerate(TESTS, 1):
            try:
                await test(page, beam)
                print(f"ok {number} - {test.__doc__}", flush=True)
            except (AssertionError, asyncio.TimeoutError) as problem:
                failed += 1
                print(f"not ok {number} - {test.__doc__}\n# " + repr(problem).replace("\\n", "\n# "), flush=True)
    return failed


def main(pictures):
    folder, children = tempfile.mkdtemp(prefix="beam-page-"), []
    try:
        beam = Beam(folder)
        children.append(beam.process)
        chromium, url = browser.start(folder, "--host-resolver-rules=MAP *.example 127.0.0.1")
        children.append(chromium)
        return 1 if asyncio.run(visit(url, beam, foreign_site(), pictures)) else 0
    finally:
        for child in reversed(children):
            child.terminate()
        for child in children:
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else f"{ROOT}/build"))
