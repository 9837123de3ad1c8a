"""Validity: a generator that was starved has measured itself."""

from typing import Any

import pytest

from loadtest.record.history import History
from loadtest.verdict.generator_check import check_generator
from loadtest.verdict.samples import percentiles
from tests.loadtest.in_memory import history_from

MS = 1_000_000
QUIET = percentiles([MS])


def history(*samples: dict[str, Any], tapped_ms: tuple[int, int] = (1_000, 3_000)) -> History:
    """Return a history with one grab between two instants, and health samples every 250 ms."""
    grab = {
        "kind": "grab", "i": 0, "conn": "0.0", "viewer": "v0", "packet": "c.1", "request_id": "r", "behaviour": "eager",
        "t_intended": tapped_ms[0] * MS, "t_sent": tapped_ms[0] * MS, "t_reply": tapped_ms[1] * MS, "type": "fail",
        "status": "exhausted",
    }  # fmt: skip
    healthy = {"lag_ms": 1.0, "cpu": 0.3, "steal": 0.0, "descriptors": 60}
    lines = [
        {"kind": "health", "t": 1_000 * MS + number * 250 * MS, **healthy, **sample}
        for number, sample in enumerate(samples)
    ]
    return history_from([grab, *lines, {"kind": "end", "grabs": 1, "conns": 0}])


def test_a_healthy_generator_is_valid() -> None:
    """Its figures are stated, and there is nothing to note."""
    valid = check_generator(history({"lag_ms": 2.0}, {"cpu": 0.9}, {}, {}), QUIET)
    assert (valid.ok, valid.notes) == (True, [])
    assert (valid.generator_lag_ms.max, valid.generator_cpu, valid.steal) == (2.0, 0.9, 0.0)


@pytest.mark.parametrize(
    ("sample", "said"),
    [
        ({"lag_ms": 400.0}, "loop lag was 400 ms"),
        ({"cpu": 0.99}, "0.99 cores"),
        ({"steal": 0.3}, "30% of the machine's time"),
    ],
)
def test_a_starved_generator_is_void(sample: dict[str, Any], said: str) -> None:
    """A late loop, a core that is used up, and stolen time each make the timing void, with the figure and the limit."""
    valid = check_generator(history(*[sample] * 6), QUIET)
    assert not valid.ok
    assert said in valid.notes[0]
    assert "at most" in valid.notes[0]


def test_taps_that_are_sent_late_are_void() -> None:
    """The schedule's debt counts beyond what a crowd's own queue can be."""
    assert check_generator(history({}), percentiles([100 * MS])).ok
    assert not check_generator(history({}), percentiles([400 * MS])).ok


def test_only_the_time_of_tapping_counts() -> None:
    """A loop that was late while the audience came in or left has measured nothing then."""
    late = {"lag_ms": 900.0}
    assert check_generator(history({}, {}, {}, late, late, tapped_ms=(1_000, 1_500)), QUIET).ok
    assert check_generator(history(late, {}, {}, tapped_ms=(1_200, 1_400)), QUIET).ok
    assert not check_generator(history({}, late, {}, tapped_ms=(1_000, 1_200)), QUIET).ok


def test_a_history_without_health_vouches_for_nothing() -> None:
    """A history without health samples is not healthy."""
    valid = check_generator(history(), QUIET)
    assert not valid.ok
    assert "no health samples" in valid.notes[0]
