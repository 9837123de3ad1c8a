"""Optimistic retry of commands: read, decide and commit, and decide again after a concurrent change."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from server.core.refusal import Raced, Refused

_T = TypeVar("_T")


async def decided(attempt: Callable[[], Awaitable[_T]], *, tries: int, give_up: Refused) -> _T:
    """
    Return the result of *attempt*, repeated while it raises Raced, at most *tries* times.

    Each attempt reads everything again. Raises *give_up* after the last one, and every other error of an attempt.
    """
    for _ in range(tries):
        try:
            return await attempt()
        except Raced:
            continue
    raise give_up
