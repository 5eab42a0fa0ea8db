"""scripts/nginx receives what Beam posts when a task has ended, and wakes whoever waits for it, in whichever worker. Speaks TAP."""
import asyncio
import hashlib
import hmac
import json
import base64
import os
import sys
import tempfile
import time
import traceback

import nginx
import nginx_browser_test as browser


async def post(port, path, value, headers=""):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    status, text = await nginx.request(port, path, "POST", body, headers)
    return status, json.loads(text) if text else None


def same(wanted, got):
    assert wanted == got, f"wanted {wanted!r}, got {got!r}"


async def submitted(port):
    """POST /train answers when Beam has told that the task has ended: a hundred at once, over two workers"""
    started = time.monotonic()
    answers = await asyncio.gather(*(post(port, "/train", {"steps": 1, "delay": 0.01}) for _ in range(100)))
    same([200] * 100, [status for status, _ in answers])
    same({"COMPLETE"}, {answer["status"] for _, answer in answers})
    same({1}, {answer["data"]["steps"] for _, answer in answers})
    assert time.monotonic() - started < 30
    print(f"# {time.monotonic() - started:.2f} s")


async def forged(port):
    """a callback that Beam has not signed is refused, and wakes nobody"""
    body, now = b'{"data": {"loss": 0}}', str(int(time.time()))
    signature = hmac.new(b"guessed", base64.b64encode(body) + b":" + now.encode(), hashlib.sha256).hexdigest()
    headers = f"X-Task-ID: some-task\r\nX-Task-Status: COMPLETE\r\nX-Task-Timestamp: {now}\r\nX-Task-Signature: {signature}\r\n"
    waiting = asyncio.create_task(nginx.request(port, "/wait?task=some-task"))
    same((401, {"error": "auth"}), await post(port, "/callback", body, headers))
    same((401, {"error": "auth"}), await post(port, "/callback", body))
    await asyncio.sleep(1)
    assert not waiting.done()
    waiting.cancel()
    same(400, (await nginx.request(port, "/wait"))[0])


def main():
    beam = front = None
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        try:
            beam, beam_port = browser.start_beam(folder)
            front, port = browser.start_nginx(folder, beam_port)
            script = f"{folder}/nginx/callback.lua"
            with open(script) as file:
                text = file.read().replace("127.0.0.1:8080", f"127.0.0.1:{port}")
            with open(script, "w") as file:
                file.write(text)
            print("1..2")
            for number, test in enumerate((submitted, forged), 1):
                try:
                    asyncio.run(test(port))
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
