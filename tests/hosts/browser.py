"""A headless Chromium, spoken to by the DevTools protocol."""
import asyncio
import base64
import json
import os
import subprocess
import time
import urllib.request

CHROMIUM = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
            "--disable-background-networking", "--remote-debugging-port=0", "--window-size=1280,860", "--hide-scrollbars"]


def start(folder, *options):
    """The process, and where its first tab is spoken to."""
    child = subprocess.Popen([*CHROMIUM, *options, f"--user-data-dir={folder}/profile", "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    port_file, deadline = f"{folder}/profile/DevToolsActivePort", time.monotonic() + 60
    while not (os.path.exists(port_file) and open(port_file).read().count("\n")):
        assert time.monotonic() < deadline, "chromium did not start"
        time.sleep(0.05)
    with open(port_file) as ports:
        port = ports.readline().strip()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as pages:
        return child, json.load(pages)[0]["webSocketDebuggerUrl"]


class Page:
    """One tab."""

    def __init__(self, socket):
        self.socket, self.number, self.events = socket, 0, []

    async def call(self, method, **params):
        self.number += 1
        await self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while True:
            answer = json.loads(await asyncio.wait_for(self.socket.recv(), 60))
            if answer.get("id") == self.number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    async def value(self, expression):
        result = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def wait(self, expression, seconds=30):
        for _ in range(seconds * 20):
            if await self.value(expression):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"it never came to {expression}; the page: {await self.value('document.body.innerText')}")

    async def picture(self, path, **options):
        image = await self.call("Page.captureScreenshot", format="png", **options)
        with open(path, "wb") as file:
            file.write(base64.b64decode(image["data"]))
