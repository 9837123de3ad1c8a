"""Tasks that nobody awaits: an error in one is reported at once by the loop's exception handler."""

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any

_Task = asyncio.Task[None]


def watched_task(work: Coroutine[Any, Any, None], fault: str, among: set[_Task] | None = None) -> _Task:
    """Run *work* as a task, kept in *among* until it is done; *fault* is the message if it raises."""
    task = asyncio.get_running_loop().create_task(work)
    if among is not None:
        among.add(task)
    task.add_done_callback(partial(_done, fault, among))
    return task


def _done(fault: str, among: set[_Task] | None, task: _Task) -> None:
    if among is not None:
        among.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        task.get_loop().call_exception_handler({"message": fault, "exception": error, "task": task})
