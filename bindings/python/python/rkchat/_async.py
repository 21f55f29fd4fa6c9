"""``async for`` over a generation, and ``await`` for its end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._native import Generation
    from ._types import Chunk


async def step(generation: Generation) -> Chunk:
    """Give the next piece of the answer; ``Generation.__anext__`` hands on to this."""
    descriptor = generation._begin()
    try:
        while True:
            ready, chunk = generation._poll()
            if not ready:
                await _readable(descriptor)
            elif chunk is None:
                raise StopAsyncIteration
            else:
                return chunk
    finally:
        generation._end()


async def text(generation: Generation) -> str:
    """Give the text of the answer at its end; ``Generation.__await__`` hands on to this."""
    end = generation._text()
    while (answer := end.poll()) is None:
        await _readable(end.fileno())
    return answer


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    readable: asyncio.Future[None] = loop.create_future()

    def resolve() -> None:
        if not readable.done():
            readable.set_result(None)

    loop.add_reader(descriptor, resolve)
    try:
        await readable
    finally:
        loop.remove_reader(descriptor)
