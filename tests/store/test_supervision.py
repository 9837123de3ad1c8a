"""A supervised task ends only when it is stopped; what else ends it is counted, reported and put right."""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest

from server.store import supervision
from server.store.supervision import Supervisor
from server.store.unavailable import StoreUnavailable
from tests.waiting import PATIENCE_S, until_so


@pytest.fixture
async def reported() -> list[str]:
    """Return what the loop's exception handler is told."""
    heard: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context["message"]))
    return heard


async def _ended(_: Callable[[], None]) -> None:
    """End at once, without an error."""


async def _cancelled_from_inside(_: Callable[[], None]) -> None:
    cancelled = asyncio.get_running_loop().create_future()
    cancelled.cancel()
    await cancelled


async def _broken(_: Callable[[], None]) -> None:
    raise KeyError("what a later version invents")


@pytest.mark.parametrize("work", [_ended, _cancelled_from_inside, _broken])
async def test_whatever_ends_a_task_it_is_started_again(work: Any, reported: list[str]) -> None:
    """An error, an end and a cancelled future are counted each time, reported once, and named until it works."""
    supervisor, good = Supervisor(), asyncio.Event()

    async def works_later(achieved: Callable[[], None]) -> None:
        if not good.is_set():
            await work(achieved)
        else:
            achieved()
            await asyncio.Event().wait()

    task = supervisor.keep("the watch", works_later)
    await until_so(lambda: supervisor.failures.get("the watch", 0) >= 3)
    assert reported == ["the watch failed, and is started again"]
    (sentence,) = supervisor.failing
    assert sentence.startswith("the watch does not work (")
    good.set()
    await until_so(lambda: not supervisor.failing)
    await task.stop()


async def test_an_absent_store_is_a_warning(reported: list[str], caplog: pytest.LogCaptureFixture) -> None:
    """It is no fault of the server: nothing is reported as one, and the log says when it began and when it ended."""
    caplog.set_level(logging.WARNING, "redrain")
    supervisor, away = Supervisor(), [True, True, False]

    async def ask() -> None:
        if away and away.pop(0):
            raise StoreUnavailable("BUSY")

    task = supervisor.every(0.001, "the watch", ask)
    await until_so(lambda: not away and not supervisor.failing)
    await task.stop()
    assert (reported, supervisor.failures) == ([], {"the watch": 2})
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert "does not work: the store is unavailable (BUSY)" in caplog.records[0].getMessage()
    assert caplog.records[1].getMessage() == "the watch works again, after 2 failures in all"


async def test_a_round_under_way_is_finished() -> None:
    """A task stopped at once has done its first round, and one stopped in a round has done all of it."""
    done: list[str] = []

    async def round_of_two() -> None:
        done.append("first half")
        await asyncio.sleep(0)
        done.append("second half")

    await Supervisor().every(60, "the watch", round_of_two).stop()
    assert done == ["first half", "second half"]


async def test_a_stopped_task_is_no_trouble() -> None:
    """A task that failed and was then stopped is named no longer."""
    supervisor = Supervisor()
    task = supervisor.keep("the watch", _broken)
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    await until_so(lambda: bool(supervisor.failing))
    await task.stop()
    assert supervisor.failing == []


async def _deaf_to_one_cancel(_: Callable[[], None]) -> None:
    """Swallow a cancel and continue, as redis-py may on Python 3.11 while it subscribes."""
    with suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    await asyncio.Event().wait()


async def _ends_when_cancelled(_: Callable[[], None]) -> None:
    with suppress(asyncio.CancelledError):
        await asyncio.Event().wait()


async def _fails_when_cancelled(_: Callable[[], None]) -> None:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        raise StoreUnavailable("the connection was closed") from None


def _loop_ends(main: Callable[[], Coroutine[Any, Any, None]]) -> bool:
    """Run *main* on a loop of its own; return whether closing that loop (one cancel a task) ended."""
    running = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    running.start()
    running.join(PATIENCE_S)
    return not running.is_alive()


@pytest.mark.parametrize("work", [_deaf_to_one_cancel, _ends_when_cancelled, _fails_when_cancelled])
def test_a_loop_ends_though_a_task_was_left_behind(work: Any) -> None:
    """One cancel ends a supervised task, whatever its work makes of it."""

    async def leave_it_behind() -> None:
        Supervisor().keep("the watch", work)
        await asyncio.sleep(0.01)

    assert _loop_ends(leave_it_behind)


@pytest.mark.parametrize("work", [_deaf_to_one_cancel, _ends_when_cancelled, _fails_when_cancelled])
async def test_stopping_ends_a_task_and_its_work(work: Any) -> None:
    """Nothing of it is left on the loop."""
    before = asyncio.all_tasks()
    task = Supervisor().keep("the watch", work)
    await asyncio.sleep(0.01)
    await asyncio.wait_for(task.stop(), PATIENCE_S)
    assert asyncio.all_tasks() == before


def test_a_task_cancelled_before_its_first_round_can_be_stopped() -> None:
    """A server that is told to end while it starts waits for no round that will never be."""

    async def end_at_once() -> None:
        async def server() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await keeping.stop()

        left_behind.append(asyncio.create_task(server()))
        await asyncio.sleep(0)
        keeping = Supervisor().every(60, "the watch", lambda: asyncio.sleep(0))

    left_behind: list[asyncio.Task[None]] = []
    assert _loop_ends(end_at_once)


async def test_a_round_that_never_ends_is_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server's end waits for a round, but not for ever."""
    monkeypatch.setattr(supervision, "ROUND_MAX_S", 0.01)
    task = Supervisor().every(60, "the watch", asyncio.Event().wait)
    await asyncio.wait_for(task.stop(), PATIENCE_S)


def test_the_log_has_a_reason_before_anybody_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Readiness asks before any task has failed; a reason is logged once in an outage, and again in the next."""
    supervisor, trouble = Supervisor(), "disk full"
    supervisor.explain = lambda: trouble
    refused = StoreUnavailable("refused")
    for _ in range(2):
        assert supervisor.told_of(refused) == "disk full: refused"
        supervisor.works("the watch")  # which needs nothing of the store
    assert [record.getMessage() for record in caplog.records] == ["the store is unavailable: disk full: refused"]
    trouble = ""
    supervisor.works("the watch")
    assert supervisor.told_of(refused) == "refused"
    trouble = "disk full"
    assert supervisor.told_of(refused) == "disk full: refused"
    assert len(caplog.records) == 3


def test_a_reason_that_changes_is_logged_too(caplog: pytest.LogCaptureFixture) -> None:
    """The log has all that readiness says of a failing task."""
    supervisor = Supervisor()
    for reason in ("refused", "disk full", "refused"):
        supervisor.failed("the watch", StoreUnavailable(reason))
        assert reason in supervisor.failing[0]
    assert [record.getMessage() for record in caplog.records] == [
        "the watch does not work: the store is unavailable (refused); it keeps trying",
        "the store is unavailable: disk full",
    ]
