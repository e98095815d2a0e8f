"""Where a stage asks, and is answered without a rerun: a WebSocket that it opens when it has its first question.

The page says, at each run, how questions are answered from then on. Answers are made apart from the session, from
plain values that were given with them, so that they need none of its state.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from weakref import WeakValueDictionary

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

PATH = "/ask/{name}"

# (question, is it no longer asked?) -> the answer, or None if there is none.
Answer = Callable[[dict[str, Any], Callable[[], bool]], bytes | None]


class Desk:
    """How a session answers; it goes when the session does."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


_desks: WeakValueDictionary[str, Desk] = WeakValueDictionary()
_clerks = ThreadPoolExecutor(2, "desk")


def open_desk(name: str, answer: Answer) -> Desk:
    """Answer who asks under ``name``, which nobody else knows, as long as the desk is kept."""
    desk = _desks[name] = Desk(answer)
    return desk


async def _serve(socket: WebSocket) -> None:
    """Answer the newest question; each answer begins with its question's number, in four bytes."""
    await socket.accept()
    newest = 0
    answering: set[asyncio.Task[None]] = set()

    async def reply(answer: Answer, question: dict[str, Any], number: int) -> None:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(_clerks, answer, question, lambda: newest != number)
        if found is not None and newest == number:
            await socket.send_bytes(number.to_bytes(4, "little") + found)

    try:
        while True:
            question = json.loads(await socket.receive_text())
            newest = int(question["number"])
            desk = _desks.get(socket.path_params["name"])
            if desk is None:
                await socket.close()
                return
            task = asyncio.create_task(reply(desk.answer, question, newest))
            answering.add(task)
            task.add_done_callback(answering.discard)
    except WebSocketDisconnect:
        pass
    except (ValueError, TypeError, KeyError):  # not a question
        await socket.close()
    finally:
        newest = -1


route = WebSocketRoute(PATH, _serve)
