"""The shape of every command that others may come before: it reads, decides and commits, and decides anew if raced."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from server.core.refusal import Raced, Refused

_T = TypeVar("_T")


async def decided(attempt: Callable[[], Awaitable[_T]], *, tries: int, give_up: Refused) -> _T:
    """
    Return what *attempt* does, repeated as long as it raises Raced, at most so many times.

    An attempt reads everything anew: nothing of what was decided before holds. Raises *give_up* after the last one, and
    whatever else an attempt raises.
    """
    for _ in range(tries):
        try:
            return await attempt()
        except Raced:
            continue
    raise give_up
