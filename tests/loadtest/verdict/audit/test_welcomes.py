"""A14: a welcome that omits, adds or misrepresents a packet is a violation, as far as its feed is known."""

from typing import Any

import pytest

from tests.loadtest.written_run import EPOCH, NS_PER_MS, ROOM, T0_NS, Line, WrittenRun, a_run

GRABBING = 2  # after warmup and open of the first packet


def _welcome(run: WrittenRun, seq: int, packets: list[list[Any]], *, at_ms: int = 2_050) -> Line:
    """Write down one more welcome."""
    t = T0_NS + at_ms * NS_PER_MS
    line: Line = {"kind": "welcome", "room": ROOM, "epoch": EPOCH, "seq": seq, "packets": packets}
    line |= {"t_first": t, "t_last": t, "count": 1}
    run.history = [line, *run.history]
    return line


def _broken(run: WrittenRun) -> list[str]:
    return [each.detail for each in run.audit()]


@pytest.mark.parametrize(
    ("seq", "packets", "text"),
    [
        (0, [], ""),
        (1, [["c1.p0", "warming", None, False]], ""),
        (2, [["c1.p0", "grabbing", None, False]], ""),
        (3, [["c1.p0", "grabbing", 0, True]], ""),
        (4, [["c1.p0", "claim_closed", 0, True]], ""),
        (5, [], ""),
        (2, [], "omits c1.p0, which is grabbing"),
        (2, [["c1.p0", "warming", None, False]], "says that c1.p0 is warming, but it is grabbing"),
        (1, [["c1.p0", "grabbing", None, False]], "says that c1.p0 is grabbing, but it is warming"),
        (3, [["c1.p0", "grabbing", 0, False]], "says that c1.p0 is not sold out"),
        (5, [["c1.p0", "claim_closed", 0, True]], "shows c1.p0, whose result was told before"),
        (0, [["c1.p0", "warming", None, False]], "shows c1.p0, which was not announced"),
        (2, [["c1.p0", "grabbing", None, False]] * 2, "shows a packet twice"),
    ],
)
def test_a_welcome_shows_the_packets_on_air(seq: int, packets: list[list[Any]], text: str) -> None:
    """Exactly those, by the facts up to its number."""
    run = a_run()
    _welcome(run, seq, packets)
    broken = _broken(run)
    assert [bool(text), True] == [bool(broken), all(text in each for each in broken)]


def test_what_the_history_does_not_know_is_not_judged() -> None:
    """Facts that nobody heard may have been about any packet; the last known fact of one tells its phase again."""
    run = a_run()
    first = run.of("fact", seq=1)[0]
    run.history = [line for line in run.history if line is not first and line["kind"] not in ("welcome", "run", "conn")]
    run.history[-1]["conns"] = 0
    _welcome(run, 1, [["c1.p0", "warming", None, False]])
    _welcome(run, 1, [])
    assert _broken(run) == []
    _welcome(run, 2, [])
    assert _broken(run) == [f"a welcome to room {ROOM} after fact 2 omits c1.p0, which is grabbing"]


def test_the_count_in_a_welcome_is_true_or_was_lately() -> None:
    """By the journal, as old as a count may be."""
    run = a_run(share_count=40)
    welcome = _welcome(run, GRABBING, [["c1.p0", "grabbing", 40, False]])
    assert _broken(run) == []
    welcome["packets"][0][2] = 41
    assert "says that 41 shares are left" in _broken(run)[0]
