"""How tests wait: until something is so, with the patience that a machine needs which is busy with other things."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

PATIENCE_S = 60.0


def until(true: Callable[[], object], what: str = "it") -> None:
    """Wait for what another process or thread is about to bring about."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, f"{what} did not come about"
        time.sleep(0.01)


async def until_so(true: Callable[[], object | Awaitable[object]]) -> None:
    """Wait for what another task or the store is about to bring about; *true* may await an answer."""
    async with asyncio.timeout(PATIENCE_S):
        while not await _answer(true()):  # noqa: ASYNC110 - what it waits for is no event of ours
            await asyncio.sleep(0.005)


async def _answer(found: object | Awaitable[object]) -> object:
    return await found if inspect.isawaitable(found) else found
