"""A wire from a session to its stage, past the rest of the page.

A message to a component is handled by the browser in its turn: after the page's other elements have been rendered
anew, which takes longer with every slider in the sidebar. So each stage opens a WebSocket of its own, and moving
pictures come through that. Where there is none (not yet, or behind something that lets none pass) they go to the
component as usual.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

PATH = "/wire/{name}"


class Wire(NamedTuple):
    """An open connection: messages put into its queue, on its loop, are sent in order."""

    loop: asyncio.AbstractEventLoop
    queue: asyncio.Queue[bytes | None]

    def put(self, message: bytes | None) -> None:
        """Send a message, from any thread; None ends the connection."""
        self.loop.call_soon_threadsafe(self.queue.put_nowait, message)


_wires: dict[str, Wire] = {}


def send(name: str, message: bytes) -> bool:
    """Send to the stage that listens under ``name``, which nobody else knows; False if there is none."""
    wire = _wires.get(name)
    if wire is None:
        return False
    wire.put(message)
    return True


def cut(name: str) -> None:
    """End a connection through which messages do not arrive; the browser will open another."""
    if wire := _wires.pop(name, None):
        wire.put(None)


async def _serve(socket: WebSocket) -> None:
    name = socket.path_params["name"]
    await socket.accept()
    wire = _wires[name] = Wire(asyncio.get_running_loop(), asyncio.Queue())

    async def write() -> None:
        while (message := await wire.queue.get()) is not None:
            await socket.send_bytes(message)
        await socket.close()

    writer = asyncio.create_task(write())
    try:
        while True:  # the stage says nothing here; this is how its end is heard of
            await socket.receive()
    except (WebSocketDisconnect, RuntimeError):
        pass
    finally:
        writer.cancel()
        if _wires.get(name) is wire:
            del _wires[name]


route = WebSocketRoute(PATH, _serve)
