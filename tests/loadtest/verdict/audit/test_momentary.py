"""A14: counts and countdowns that were never true on their way, and openings without their surface, are violations."""

from typing import Any

import pytest

from loadtest.verdict.audit import audit
from loadtest.verdict.audit.circumstances import ORDINARY, Absence, Circumstances, MachineWait
from tests.loadtest.written_run import NS_PER_MS, T0_NS, Line, WrittenRun, a_run, heard

OPENS_MS, ENDS_MS = 2_000, 3_000  # of the first packet


def _broken(run: WrittenRun, circumstances: Circumstances = ORDINARY) -> list[str]:
    return [each.detail for each in audit(*run.read(), run=circumstances) if each.invariant == "A14"]


def _quiet_run() -> tuple[WrittenRun, Line]:
    """Return a run in which no share has been given for long when a count is told, and that count."""
    run = a_run(share_count=40)
    count = run.of("heard", type="progress")[-1]
    count["t_first"] += 3_000 * NS_PER_MS
    count["t_last"] += 3_000 * NS_PER_MS
    last = run.of("packet")[-1]
    last["claim_end_at_ms"] += 4_000
    _postpone(run, last["packet_id"], 4_000)
    return run, count


def _postpone(run: WrittenRun, packet_id: str, by_ms: int) -> None:
    """Let a packet be over later."""
    for entry in run.of("journal", movement="sweep", packet_id=packet_id):
        entry["at_ms"] += by_ms
    for kind in ("closed", "result"):
        run.of("fact", type=kind, packet=packet_id)[0]["at_ms"] += by_ms
    for tap in run.of("grab", packet=packet_id, status="too_late"):
        for name in ("t_intended", "t_sent", "t_reply"):
            tap[name] += by_ms * NS_PER_MS
    for conn in run.of("conn"):
        conn["t_close"] += by_ms * NS_PER_MS


def test_a_true_count_is_none() -> None:
    """Neither in the middle of the grabs nor long after them."""
    run, _ = _quiet_run()
    assert _broken(run) == []


@pytest.mark.parametrize("off", [-1, 1, -40])
def test_a_count_that_was_not_true_on_its_way_is(off: int) -> None:
    """One share too few or too many; the journal decides."""
    run, count = _quiet_run()
    count["remaining"] += off
    (first, *_) = _broken(run)
    assert f"was told that {count['remaining']} shares are left, but by the journal {count['remaining'] - off}" in first


def test_a_count_without_a_number_is_one() -> None:
    """Nothing else is legal in its place."""
    run, count = _quiet_run()
    count["remaining"] = None
    assert _broken(run)


def test_a_count_that_came_late_is_no_lie_within_its_flight() -> None:
    """A number that was true half a second before is excused, one that was true three seconds before is not."""
    run = a_run(share_count=40)
    late = heard("progress", "c1.p0", OPENS_MS + 800, 12) | {"remaining": 40}
    run.history = [late, *run.history]
    assert _broken(run) == []
    late["t_first"] += 700 * NS_PER_MS
    assert _broken(run)


def _stall(t: int, lag_ms: float) -> Line:
    return {"kind": "health", "t": t, "lag_ms": lag_ms, "cpu": 1.0, "steal": 0.0, "descriptors": 9}


def test_stalls_and_absences_excuse_what_is_older() -> None:
    """A generator that stood still read it late; a store that was away had nothing newer to say."""
    run = a_run(share_count=40)
    late = heard("progress", "c1.p0", OPENS_MS + 1_600, 12) | {"remaining": 40}
    run.history = [late, *run.history]
    assert _broken(run)
    t = late["t_first"]
    assert _broken(run, Circumstances([Absence(t - 3_000 * NS_PER_MS, t - 2_000 * NS_PER_MS)])) == []
    assert _broken(run, Circumstances(waits=[MachineWait(t - 900 * NS_PER_MS, t, 900 * NS_PER_MS)])) == []
    run.history = [_stall(t + NS_PER_MS, 900.0), *run.history]
    assert _broken(run) == []


def test_a_number_that_stands_for_long_must_be_told() -> None:
    """If nobody is told of it in two seconds, the last count was a lie of omission, or one share too many."""
    run, count = _quiet_run()
    for each in run.of("heard", type="progress", packet=count["packet"]):
        each["t_first"] -= 3_540 * NS_PER_MS
        each["remaining"] = 40
    assert any("shares were left for" in each and "the last count told was 40" in each for each in _broken(run))
    run.history = [line for line in run.history if line["kind"] != "heard" or line["type"] != "progress"]
    assert any("no count was told" in each for each in _broken(run))
    run.history = [line for line in run.history if line["kind"] != "conn"]
    run.history[-1]["conns"] = 0
    assert not any("shares were left" in each for each in _broken(run))


@pytest.mark.parametrize(("left_ms", "sound"), [(500, True), (400, False), (900, True), (1_700, False)])
def test_a_countdown_is_true_on_its_way(left_ms: int, *, sound: bool) -> None:
    """It cannot speak of a later instant than that of its arrival, nor of one much earlier."""
    run = a_run()
    run.history = [heard("countdown", "c1.p0", OPENS_MS - 480, 12) | {"left_ms": left_ms}, *run.history]
    assert (_broken(run) == []) is sound


def _surface(run: WrittenRun) -> Line:
    return run.of("heard", type="popup", packet="c1.p0")[0]


def test_an_opening_without_its_surface_is_a14() -> None:
    """For all viewers of a process, or for more of them than came and went."""
    run = a_run()
    popup = _surface(run)
    run.history.remove(popup)
    assert "the opening reached 12 viewers of one process at the time, but popup 0" in _broken(run)
    popup["count"] -= 1
    run.history = [popup, *run.history]
    assert _broken(run) == []  # the first to hear the opening may be a slow reader


@pytest.mark.parametrize("change", [{"type": "asset_widget"}, {"room": "r2"}, {"t_first": T0_NS + 1_900 * NS_PER_MS}])
def test_a_wrong_surface_is_a14(change: dict[str, Any]) -> None:
    """Another kind than the packet's, in another room, or before the opening."""
    run = a_run()
    _surface(run).update(change)
    assert _broken(run)


def test_a_history_from_before_such_messages_were_kept_is_not_judged_by_them() -> None:
    """It has no welcomes."""
    run = a_run()
    run.history = [line for line in run.history if line["kind"] not in ("heard", "welcome")]
    assert run.audit() == []
