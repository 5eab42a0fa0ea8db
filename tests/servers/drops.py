"""Forced drops between a client and the app of beam_app.py: a TCP proxy in the same process, told by POST /drop what to do.

GET /proxy      {"port": …}: connections there are carried to the app
POST /drop      {"how": "frame" | "tcp" | "reset" | "silence"}: all connections through the proxy end so; {"dropped": how many}
                frame: the app closes with 1012. silence: TCP stays open and nothing passes any more, as if packets vanished
GET /recorded   [[connection, number], …]: the messages {"record": number} that the app received since the last time
"""
import asyncio
import itertools
import json
import socket
import struct

from fastapi import APIRouter, Request

router = APIRouter()
numbers = itertools.count(1)  # of connections
recorded = []  # (connection, number)
sockets = {}  # of the app, for close frames: its number
links = set()  # through the proxy
proxy = {}


def record(connection, message):
    if isinstance(message, dict) and "record" in message:
        recorded.append((connection, message["record"]))


async def close(victim):
    """Closes as an app does. What uvicorn has read by then, and answered pings for, it forgets (0.17, asgi_receive): we do not."""
    connection, protocol = sockets.pop(victim), victim._receive.__self__
    await victim.close(1012, "a forced drop")
    for text in protocol.messages:
        record(connection, json.loads(text))


class Link:
    """One connection through the proxy."""

    def __init__(self, client, app):
        self.client, self.app = client, app
        self.silent = False

    async def pump(self, reader, writer):
        try:
            while data := await reader.read(65536):
                if self.silent:
                    continue
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        if not self.silent:
            writer.close()

    def end(self, how):
        links.discard(self)
        if how == "silence":
            self.silent = True
        elif how == "reset":
            self.client.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.client.transport.abort()
        else:
            self.client.close()
        self.app.transport.abort()


async def carry(reader, writer):
    try:
        app_reader, app_writer = await asyncio.open_connection("127.0.0.1", proxy["app"])
    except OSError:
        writer.close()
        return
    link = Link(writer, app_writer)
    links.add(link)
    await asyncio.gather(link.pump(reader, app_writer), link.pump(app_reader, writer))
    links.discard(link)
    if link.silent:
        await reader.read()  # until the client leaves
    writer.close()


@router.get("/proxy")
async def where(request: Request):
    if not proxy:
        proxy["app"] = request.scope["server"][1]
        proxy["server"] = await asyncio.start_server(carry, "127.0.0.1", 0)
    return {"port": proxy["server"].sockets[0].getsockname()[1]}


@router.post("/drop")
async def drop(request: Request):
    how = (await request.json())["how"]
    if how == "frame":
        victims = list(sockets)
        for victim in victims:
            await close(victim)
    else:
        victims = list(links)
        for victim in victims:
            victim.end(how)
    return {"dropped": len(victims)}


@router.get("/recorded")
async def take_recorded():
    taken = list(recorded)
    recorded.clear()
    return taken
