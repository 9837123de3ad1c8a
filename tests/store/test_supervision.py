"""A supervised task ends only when it is stopped; what else ends it is counted, reported and put right."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from server.store.supervision import Supervisor
from server.store.unavailable import StoreUnavailable
from tests.gateway.house import until


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
    await until(lambda: supervisor.failures.get("the watch", 0) >= 3)
    assert reported == ["the watch failed, and is started again"]
    (sentence,) = supervisor.failing
    assert sentence.startswith("the watch does not work (")
    good.set()
    await until(lambda: not supervisor.failing)
    await task.stop()


async def test_an_absent_store_is_a_warning(reported: list[str], caplog: pytest.LogCaptureFixture) -> None:
    """It is no fault of the server: nothing is reported as one, and the log says when it began and when it ended."""
    caplog.set_level(logging.WARNING, "redrain")
    supervisor, away = Supervisor(), [True, True, False]

    async def ask() -> None:
        if away and away.pop(0):
            raise StoreUnavailable("BUSY")

    task = supervisor.every(0.001, "the watch", ask)
    await until(lambda: not away and not supervisor.failing)
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
    await until(lambda: bool(supervisor.failing))
    await task.stop()
    assert supervisor.failing == []
