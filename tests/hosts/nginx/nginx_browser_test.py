"""scripts/nginx in a browser: the page, its three ways to the local Beam, and what happens to them when nginx reloads. Chromium without a window,
spoken to by the DevTools protocol. Speaks TAP; leaves build/nginx.png.   usage: nginx_browser_test.py [picture]"""
import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

import websockets

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import browser
import nginx  # makes the servers' folder known
import serve

TOKEN = "token-of-the-browser-test"


def start_beam(folder):
    port = serve.free_port()
    child = subprocess.Popen(["build/beamlua", "serve", "--port", str(port), "--quiet"], cwd=nginx.ROOT, stdout=subprocess.DEVNULL,
                             env={**os.environ, "BEAM_SERVE_TOKEN": TOKEN})
    serve.wait_for(port)
    return child, port


def start_nginx(folder, beam_port):
    """The example as it is, but for its port, its pid file and where it finds the module."""
    scripts, port = f"{nginx.ROOT}/scripts/nginx", serve.free_port()
    shutil.copytree(scripts, f"{folder}/nginx")
    os.chmod(folder, 0o755)
    with open(f"{scripts}/nginx.conf") as config:
        text = config.read().replace("127.0.0.1:8080", f"127.0.0.1:{port}").replace("/tmp/beam-nginx.pid", f"{folder}/nginx.pid")
    text = text.replace("${prefix}../../", f"{nginx.ROOT}/").replace("error_log stderr", f"error_log {folder}/error.log")
    if os.geteuid() == 0:
        text = "user root;\n" + text
    with open(f"{folder}/nginx/nginx.conf", "w") as config:
        config.write(text)
    child = subprocess.Popen([nginx.program(), "-p", f"{folder}/nginx", "-c", "nginx.conf", "-g", "daemon off;"], stderr=subprocess.DEVNULL,
                             env={**os.environ, "BEAM_TOKEN": TOKEN, "BEAM_GATEWAY_URL": f"http://127.0.0.1:{beam_port}"})
    serve.wait_for(port)
    return child, port


async def submit(page, part, text):
    await page.value(f"document.querySelector('#{part} input').value = {json.dumps(text)}; document.querySelector('#{part} button').click()")


def said(part, text):
    return f"document.querySelector('#{part} output').innerText.includes({json.dumps(text)})"


async def ask(page, _):
    """a question over the shared pool is answered"""
    await submit(page, "ask", "how are you, Ünïcode?")
    await page.wait(said("ask", '← {"response":{"text":"how are you, Ünïcode?"}}'))


async def talk(page, _):
    """a WebSocket is bridged"""
    await page.wait("document.querySelector('.dot.open') !== null")
    await submit(page, "talk", "hello")
    await page.wait(said("talk", '← {"response":{"text":"hello"}}'))


async def stream(page, _):
    """a call streams as server-sent events"""
    await submit(page, "stream", "one two three")
    await page.wait(said("stream", "· done"))
    count = await page.value("document.querySelector('#stream output').innerText.split('←').length - 1")
    assert count == 12, count


async def reload(page, child):
    """after a reload the page's WebSocket comes back, and all goes on"""
    await page.value("window.lost = 0; socket.addEventListener('close', (event) => window.lost = event.code)")
    child.send_signal(signal.SIGHUP)
    await page.wait("window.lost", 60)
    code = await page.value("window.lost")
    assert code == 1001, code
    await page.wait("socket.readyState === 1")
    await submit(page, "talk", "still there?")
    await page.wait(said("talk", '← {"response":{"text":"still there?"}}'))
    await submit(page, "ask", "and you?")
    await page.wait(said("ask", '← {"response":{"text":"and you?"}}'))


async def refusals(page, _):
    """pages of others get no WebSocket, bad bodies no answer, and no file of the example is served"""
    port = await page.value("location.port")
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    found = [(await nginx.request(port, "/socket", headers=upgrade + "Origin: https://elsewhere.example\r\n"))[0],
             (await nginx.request(port, "/ask", "POST", b"[1"))[0], (await nginx.request(port, "/ask"))[0],
             (await nginx.request(port, "/ask.lua"))[0], (await nginx.request(port, "/nginx.conf"))[0]]
    assert found == [403, 400, 405, 404, 404], found


async def secret(page, _):
    """the token never came to the browser"""
    text = await page.value("document.documentElement.outerHTML")
    assert TOKEN not in text


TESTS = [ask, talk, stream, refusals, reload, secret]


async def visit(url, port, child, log, picture):
    failed = 0
    async with websockets.connect(url, max_size=None) as socket:
        page = browser.Page(socket)
        await page.call("Page.navigate", url=f"http://127.0.0.1:{port}/")
        await page.wait("document.readyState === 'complete' && document.getElementById('ask') !== null")
        print(f"1..{len(TESTS)}", flush=True)
        for number, test in enumerate(TESTS, 1):
            try:
                await test(page, child)
                print(f"ok {number} - {test.__doc__}", flush=True)
            except AssertionError as problem:
                failed += 1
                tail = "".join(f"# {line}\n" for line in open(log).read().splitlines()[-20:])
                print(f"not ok {number} - {test.__doc__}\n# {problem}\n{tail}", flush=True)
            if test is stream:
                await page.picture(picture)
    return failed


def main(picture):
    folder, children = tempfile.mkdtemp(prefix="beam-browser-"), []
    try:
        beam, beam_port = start_beam(folder)
        children.append(beam)
        server, port = start_nginx(folder, beam_port)
        children.append(server)
        chromium, url = browser.start(folder)
        children.append(chromium)
        failed = asyncio.run(visit(url, port, server, f"{folder}/error.log", picture))
        with open(f"{folder}/error.log") as log:
            assert TOKEN not in log.read()
        return 1 if failed else 0
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
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else f"{nginx.ROOT}/build/nginx.png"))
