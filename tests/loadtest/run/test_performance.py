"""A performance: parts side by side, watched until the last is over, and ended when one fails or somebody says stop."""

import threading
from collections.abc import Callable

import pytest
import requests

from loadtest.run.performance import Performer, perform
from loadtest.targets.requester import SetUpFailed
from tests.waiting import PATIENCE_S, until

Stopped = Callable[[], bool]


def until_stopped(stopped: Stopped) -> None:
    until(stopped)


def test_parts_go_on_at_once_and_are_watched_to_the_end() -> None:
    meeting = threading.Barrier(2, timeout=PATIENCE_S)
    looks: list[int] = []

    def part(_: Stopped) -> None:
        meeting.wait()

    assert perform([("one", part), ("other", part)], lambda: looks.append(1), linger_s=0.15)
    assert len(looks) >= 2, "also while it lingers"


def test_a_part_that_fails_ends_the_others_and_is_named() -> None:
    ended = threading.Event()

    def endless(stopped: Stopped) -> None:
        until_stopped(stopped)
        ended.set()

    def failing(_: Stopped) -> None:
        raise requests.ConnectionError("nobody answers")

    with pytest.raises(SetUpFailed, match="nobody answers"):
        perform([("endless", endless), ("failing", failing)], lambda: None, linger_s=0)
    assert ended.is_set()


def test_somebody_says_stop() -> None:
    assert not perform([("endless", until_stopped)], lambda: None, lambda: True, linger_s=10)


def test_what_fails_while_watching_ends_the_parts_too() -> None:
    def look() -> None:
        raise SetUpFailed("the audience is gone")

    with pytest.raises(SetUpFailed, match="the audience is gone"):
        perform([("endless", until_stopped)], look, linger_s=0)
    assert "endless" not in [thread.name for thread in threading.enumerate()]


def test_a_performer_keeps_what_it_failed_of() -> None:
    def failing(_: Stopped) -> None:
        raise SetUpFailed("no")

    performer = Performer("part", failing)
    performer.end()
    assert (performer.going_on, str(performer.problem)) == (False, "no")
