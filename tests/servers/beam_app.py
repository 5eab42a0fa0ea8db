"""A Beam realtime app as docs/wire.md section 5 has it, under FastAPI and uvicorn: the server that is not ours.

The loop is that of a Beam realtime app: one handler run per message, in order, an app ping at once and every PING seconds,
PAUSE seconds after each input, an answer per returned value, silence for what cannot be sent. A message {"do": …} chooses
what the handler does; any other is echoed.
"""
import asyncio
import json
import os
import time

from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

import drops

TOKEN = os.environ.get("TOKEN", "test-token")
PAUSE = float(os.environ.get("PAUSE", "0"))
PING = float(os.environ.get("PING", "5"))
app = FastAPI()
app.include_router(drops.router)


def handler(event, connection):
    """What a user's Python function might do."""
    if isinstance(event, bytes):
        return {"bytes": len(event)}
    message = json.loads(event)
    drops.record(connection, message)
    what = message.get("do") if isinstance(message, dict) else None
    if what == "text":
        return "plain, not JSON"
    if what == "list":
        return [1, 2, 3]
    if what == "none":
        return None
    if what == "number":
        return 42
    if what == "raise":
        raise ValueError("the handler failed")
    if what == "many":
        return ({"item": i} for i in range(message["count"]))
    if what == "nan":
        return {"value": float("nan")}
    if what == "sleep":
        time.sleep(message["seconds"])
    if what == "big":
        return {"data": "x" * message["size"]}
    return {"response": message}


def texts(result):
    """The messages for one returned value (docs/wire.md section 5, the table)."""
    if isinstance(result, str):
        return [result]
    if isinstance(result, (dict, list)):
        return [json.dumps(result, separators=(",", ":"))]
    if hasattr(result, "__iter__") and not isinstance(result, bytes):
        return [text for item in result for text in texts(item)]
    return []


@app.websocket("/")
async def realtime(socket: WebSocket):
    if socket.headers.get("authorization") not in (f"Bearer {TOKEN}", TOKEN) and socket.query_params.get("auth_token") != TOKEN:
        await socket.close()  # before accept: uvicorn answers 403
        return
    await socket.accept()

    async def ping():
        while True:
            await socket.send_text('{"type":"ping"}')
            await asyncio.sleep(PING)

    pinger = asyncio.create_task(ping())
    connection = next(drops.numbers)
    drops.sockets[socket] = connection
    try:
        while True:
            received = await socket.receive()
            if received["type"] == "websocket.disconnect":
                return
            event = received.get("text") or received.get("bytes")
            command = json.loads(event) if isinstance(event, str) and event.startswith('{"close"') else None
            if command:
                await socket.close(command["close"], command.get("reason", ""))
                return
            if isinstance(event, str) and event.startswith('{"zombie"'):  # as a handler that raised RuntimeError
                pinger.cancel()
                while (await socket.receive())["type"] != "websocket.disconnect":
                    pass
                return
            try:
                for text in texts(handler(event, connection)):
                    await socket.send_text(text)
            except Exception:  # what cannot be sent, or a socket that was closed: what was received before is still handled
                pass
            await asyncio.sleep(PAUSE)
    except (WebSocketDisconnect, RuntimeError):
        pass
    finally:
        pinger.cancel()
        drops.sockets.pop(socket, None)


def authorized(request: Request):
    return request.headers.get("authorization") in (f"Bearer {TOKEN}", TOKEN, "Basic aWQ6c2VjcmV0")


@app.post("/endpoint/multiply")
async def multiply(request: Request):
    if not authorized(request):
        return JSONResponse({"message": "Unauthorized"}, 401)
    body = await request.json()
    return JSONResponse({"result": body["x"] * 2}, headers={"X-Task-Id": "3f1b6a0e-0000-4000-8000-000000000001"})


@app.post("/endpoint/inspect")
async def inspect(request: Request):
    body = await request.body()
    return JSONResponse({"method": request.method, "headers": dict(request.headers), "body": body.decode(),
                         "http_version": request.scope["http_version"], "query": str(request.url.query)})


@app.post("/endpoint/status/{code}")
async def status(code: int, request: Request):
    body = await request.body()
    return Response(body, code, media_type="application/json")


@app.post("/endpoint/stream")
async def stream():
    async def items():
        for i in range(5):
            yield f'data: {{"item":{i}}}\n\n'
            await asyncio.sleep(0.02)

    return StreamingResponse(items(), media_type="text/plain")


@app.get("/health")
async def health():
    return PlainTextResponse("ok")
