"""A14: a comment that the server took and nobody else got is a violation, unless it may have been lost lawfully."""

import pytest

from loadtest.verdict.audit import audit
from loadtest.verdict.audit.circumstances import ORDINARY, Absence, Circumstances
from tests.loadtest.written_run import NS_PER_MS, ROOM, T0_NS, Line, WrittenRun, a_run, heard

SAID_MS, NS = 20_000, NS_PER_MS


def _talkative_run(listeners: int = 9) -> tuple[WrittenRun, Line, Line]:
    """Return a run in which v0 says something, with the comment and the message that tells it."""
    run = a_run()
    stays = {"room": ROOM, "epoch": "e1", "seq": 10, "resync": False, "code": 1000, "patience_ms": 5_000}
    stays |= {"t_open": T0_NS + 19_000 * NS, "t_welcome": T0_NS + 19_001 * NS, "t_close": T0_NS + 30_000 * NS}
    present = ["v0", *(f"w{number}" for number in range(listeners))]
    conns = [{"kind": "conn", "conn": f"{name}.9", "viewer": name, **stays} for name in present]
    t = T0_NS + SAID_MS * NS
    said: Line = {"kind": "comment", "conn": "v0.9", "viewer": "v0", "room": ROOM, "t": t, "text": "hello"}
    told = heard("comments", None, SAID_MS + 150, listeners) | {"comments": [["w1", "hi"], ["v0", "hello"]]}
    run.history = [said, told, *conns, *run.history]
    run.history[-1]["conns"] += len(conns)
    return run, said, told


def _broken(run: WrittenRun, circumstances: Circumstances = ORDINARY) -> list[str]:
    return [f"{each.invariant}: {each.detail}" for each in audit(*run.read(), run=circumstances)]


LOST = [f"A14: v0 said something to room {ROOM}, and none of the 9 other connections that stayed got it"]


def test_a_comment_that_somebody_else_got_is_none() -> None:
    """Whenever it came."""
    run, *_ = _talkative_run()
    assert _broken(run) == []


@pytest.mark.parametrize(
    "change",
    [
        {"comments": [["w1", "hi"]]},
        {"comments": [["w1", "hello"]]},
        {"comments": [["v0", "hell"]]},
        {"viewer": "v0", "other": None},
        {"room": "r2"},
        {"t_first": T0_NS, "t_last": T0_NS + NS},
    ],
)
def test_a_comment_that_nobody_else_got_is_a14(change: Line) -> None:
    """Swallowed, changed, under another name, told to its author only, to another room, or before it was said."""
    run, _, told = _talkative_run()
    told.update(change)
    assert _broken(run) == LOST


def test_what_may_be_lost_is_excused() -> None:
    """Its author left or was told to be quiet, few stayed, the room was loud, or the store was away."""
    run, said, told = _talkative_run()
    run.history.remove(told)
    assert _broken(run) == LOST
    assert _broken(run, Circumstances([Absence(said["t"], said["t"] + NS)])) == []
    hushed = {"kind": "hushed", "conn": "v0.9", "t": said["t"] + 5 * NS}
    for more in ([hushed], [said | {"t": said["t"] + number * NS, "conn": "w0.9"} for number in range(26)]):
        run.history = [*more, *run.history]
        assert _broken(run) == []
        run.history = run.history[len(more) :]
    run.of("conn", conn="v0.9")[0]["t_close"] = said["t"] + 100 * NS
    assert _broken(run) == []
    few, _, told = _talkative_run(listeners=7)
    few.history.remove(told)
    assert _broken(few) == []
