"""
Supervision of one process's long-lived tasks: whatever ends one, it is counted, reported, and started again.

No error is expected by name, so none that a store comes to answer ends a task. Only cancelling a task stops it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

from server.store.unavailable import StoreUnavailable
from server.watched_task import watched_task

BACKOFF_MIN_S = 0.05
BACKOFF_MAX_S = 1.0
ROUND_MAX_S = 10.0  # how long a stop waits for the round under way: as long as two answers of the store may take
_CANCEL_AGAIN_S = 0.1  # on Python 3.11 the library may swallow a cancel while it subscribes
_log = logging.getLogger("redrain")

Work = Callable[[Callable[[], None]], Coroutine[Any, Any, None]]
"""The endless work of a task; it calls its argument whenever it has achieved something."""


class TaskEnded(Exception):  # noqa: N818 - an answer about a task
    """A task that lasts as long as the server has ended without an error."""


class SupervisedTask:
    """
    A task that runs until ``stop`` or a single cancel, started again after every error and every end.

    Each attempt at the work is a task of its own, so that a cancel which the work swallows is not lost.
    """

    def __init__(self, name: str, work: Work, supervisor: "Supervisor") -> None:
        self._name = name
        self._work = work
        self._supervisor = supervisor
        self._backoff_s = BACKOFF_MIN_S
        self._between_rounds = asyncio.Event()
        self._between_rounds.set()
        self._attempt: asyncio.Task[None] | None = None
        self._task = watched_task(self._run(), f"{name} is no longer supervised")
        self._task.add_done_callback(lambda _: self._between_rounds.set())  # no round comes after it

    @classmethod
    def in_rounds(
        cls, name: str, every_s: float, carry_out: Callable[[], Awaitable[object]], supervisor: "Supervisor"
    ) -> "SupervisedTask":
        """Call *carry_out* now and then every so often; ``stop`` waits for the round under way, at least the first."""

        async def work(achieved: Callable[[], None]) -> None:
            while True:
                task._between_rounds.clear()
                try:
                    await carry_out()
                finally:
                    task._between_rounds.set()
                achieved()
                await asyncio.sleep(every_s)

        task = cls(name, work, supervisor)
        task._between_rounds.clear()
        return task

    async def stop(self) -> None:
        """Stop the task and wait for its end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(ROUND_MAX_S):
                await self._between_rounds.wait()
        self._task.cancel()
        if self._attempt is not None:
            self._attempt.cancel()  # at once, lest it begin another round
        await asyncio.wait({self._task})
        self._supervisor.forget(self._name)

    async def _run(self) -> None:
        while True:
            self._attempt = asyncio.create_task(self._work(self._achieved))
            try:
                await asyncio.wait({self._attempt})
            finally:
                await _until_done(self._attempt)
                self._judge(self._attempt)
            await asyncio.sleep(self._backoff_s)
            self._backoff_s = min(2 * self._backoff_s, BACKOFF_MAX_S)

    def _judge(self, attempt: asyncio.Task[None]) -> None:
        """Count an attempt that ended as a failure, unless it was told to end."""
        try:
            attempt.result()
            end = "without an error"
        except asyncio.CancelledError as cancelled:
            end = f"because something it waited for was cancelled {cancelled}"
        except Exception as error:
            self._supervisor.failed(self._name, error)
            return
        if not self._task.cancelling():
            self._supervisor.failed(self._name, TaskEnded(f"it ended {end}"))

    def _achieved(self) -> None:
        self._backoff_s = BACKOFF_MIN_S
        self._supervisor.works(self._name)


async def _until_done(attempt: asyncio.Task[None]) -> None:
    """Cancel an attempt until it is done, however often the task that waits for it is cancelled."""
    while not attempt.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait({attempt}, timeout=_CANCEL_AGAIN_S)
            attempt.cancel()


class Supervisor:
    """
    The long-lived tasks of one process. ``failures`` counts by task, ``notes`` tell an operator what happened.

    ``explain`` says why the store is unavailable, if anybody knows.
    """

    def __init__(self) -> None:
        self.failures: dict[str, int] = {}
        self.notes: dict[str, str] = {}
        self.explain: Callable[[], str] = lambda: ""
        self._failing: dict[str, str] = {}
        self._told: set[str] = set()  # of this outage of the store

    def keep(self, name: str, work: Work) -> SupervisedTask:
        """Run endless *work* until stopped."""
        return SupervisedTask(name, work, self)

    def every(self, every_s: float, name: str, carry_out: Callable[[], Awaitable[object]]) -> SupervisedTask:
        """Call *carry_out* every so many real seconds until stopped."""
        return SupervisedTask.in_rounds(name, every_s, carry_out, self)

    @property
    def failing(self) -> list[str]:
        """Return a sentence about each task that has achieved nothing since it last failed."""
        return [f"{name} does not work ({why})" for name, why in self._failing.items()]

    def told_of(self, error: StoreUnavailable) -> str:
        """Return why the store is unavailable, as far as anybody knows; the log has it before anybody is told."""
        reason = self.explain()
        text = f"{reason}: {error}" if reason else str(error)
        self._tell(text)
        return text

    def _tell(self, reason: str) -> None:
        """Log why the store is unavailable, each reason once in an outage."""
        if reason not in self._told:
            self._told.add(reason)
            _log.warning("the store is unavailable: %s", reason)

    def failed(self, name: str, error: Exception) -> None:
        """Count a failure, and report it unless the last one was of the same kind."""
        kind = str(error) if isinstance(error, StoreUnavailable) else f"{type(error).__name__}: {error}"
        self.failures[name] = self.failures.get(name, 0) + 1
        before, self._failing[name] = self._failing.get(name), kind
        if reason := self.explain():
            self._tell(reason)
        if kind == before:
            return
        if isinstance(error, StoreUnavailable):
            if before is None:
                self._told.add(kind)
                _log.warning("%s does not work: the store is unavailable (%s); it keeps trying", name, error)
            else:
                self._tell(kind)
        else:
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"{name} failed, and is started again", "exception": error}
            )

    def works(self, name: str) -> None:
        """Note that a task achieved something."""
        if self._failing.pop(name, None) is not None:
            _log.warning("%s works again, after %d failures in all", name, self.failures[name])
        if self._told and not self._failing and not self.explain():
            self._told.clear()

    def forget(self, name: str) -> None:
        """Note that a task was stopped."""
        self._failing.pop(name, None)
