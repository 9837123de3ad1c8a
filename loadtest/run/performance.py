"""A performance: what goes on at the same time until it is over, each part in a thread, while somebody watches."""

import threading
import time
from collections.abc import Callable, Sequence

import requests

from loadtest.targets.requester import SetUpFailed

LOOK_EVERY_S = 0.1


class Performer:
    """A part that runs in a thread of its own until it is over or asked to end; ``problem`` is what it failed of."""

    def __init__(self, name: str, perform: Callable[[Callable[[], bool]], None]) -> None:
        self.problem: Exception | None = None
        self._stop = threading.Event()
        self._perform = perform
        self._thread = threading.Thread(target=self._run, name=name)
        self._thread.start()

    @property
    def going_on(self) -> bool:
        """Tell whether it is not over yet."""
        return self._thread.is_alive()

    def end(self) -> None:
        """Ask it to end, and wait until it has."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._perform(self._stop.is_set)
        except Exception as error:  # ``perform`` raises it again, in the thread that waits
            self.problem = error


def perform(
    parts: Sequence[tuple[str, Callable[[Callable[[], bool]], None]]],
    look: Callable[[], object],
    stopped: Callable[[], bool] = lambda: False,
    *,
    linger_s: float,
) -> bool:
    """
    Let all *parts* go on until they are over, or one fails, or *stopped()*; return whether they came to their end.

    *look* is called meanwhile, and for *linger_s* afterwards: the last facts are still on their way to the viewers.
    Raises SetUpFailed for a request that failed, else whatever a part has raised.
    """
    performers = [Performer(name, part) for name, part in parts]
    try:
        while any(each.going_on for each in performers) and not any(each.problem for each in performers):
            if stopped():
                return False
            look()
            time.sleep(LOOK_EVERY_S)
    finally:
        for performer in performers:
            performer.end()
    for problem in (performer.problem for performer in performers):
        if isinstance(problem, requests.RequestException):
            raise SetUpFailed(str(problem))
        if problem is not None:
            raise problem
    until = time.monotonic() + linger_s
    while time.monotonic() < until and not stopped():
        look()
        time.sleep(LOOK_EVERY_S)
    return True
