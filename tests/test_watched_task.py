"""A watched task: its fault is heard at once, and whoever keeps it is rid of it when it is done."""

import asyncio
from typing import Any

from server.watched_task import watched_task


async def fail() -> None:
    raise RuntimeError("broken")


async def test_a_fault_is_heard_at_once() -> None:
    """Nobody awaits the task; the handler is told what the fault means, the error and the task."""
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.put_nowait(context))
    task = watched_task(fail(), "nothing is done any more")
    context = await heard.get()
    assert (context["message"], str(context["exception"]), context["task"]) == (
        "nothing is done any more",
        "broken",
        task,
    )


async def test_its_end_and_its_cancellation_are_no_faults() -> None:
    """Nothing is heard of either."""
    heard: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context))
    endless = watched_task(asyncio.Event().wait(), "it waits no more")  # type: ignore[arg-type]
    endless.cancel()
    await asyncio.gather(endless, watched_task(asyncio.sleep(0), "it sleeps no more"), return_exceptions=True)
    await asyncio.sleep(0)
    assert heard == []


async def test_it_is_kept_until_it_is_done() -> None:
    """In the set it was given, and no longer, however it ends."""
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    kept: set[asyncio.Task[None]] = set()
    tasks = {watched_task(asyncio.sleep(0), "it sleeps no more", kept), watched_task(fail(), "it failed", kept)}
    assert kept == tasks
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)
    assert kept == set()
