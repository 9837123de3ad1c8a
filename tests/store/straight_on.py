"""Code that cannot await, on a loop that keeps running: to start one anew for each command costs as much as most do."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from greenlet import getcurrent, greenlet

Answer = TypeVar("Answer")


async def straight_on(work: Callable[[], object]) -> None:
    """Call *work*, which may use ``wait_for``, and await what it waits for."""
    working = greenlet(work)
    asked = working.switch()
    while not working.dead:
        try:
            answer = await asked
        except BaseException as error:  # for *work* to handle
            asked = working.throw(error)
        else:
            asked = working.switch(answer)


def wait_for(asked: Awaitable[Answer]) -> Answer:
    """Return what *asked* comes to, or raise what it raises."""
    answer: Answer = getcurrent().parent.switch(asked)
    return answer
