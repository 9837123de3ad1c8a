"""A12, and the misdelivered half of A4: one receipt for each tap, to the connection that made it."""

from collections.abc import Sequence
from typing import Any

from loadtest.verdict.audit import audit
from loadtest.verdict.audit.answers import unknown_by_design
from loadtest.verdict.audit.circumstances import Absence, Circumstances
from tests.loadtest.written_run import NS_PER_MS, Line, WrittenRun, a_run, stray, unsent


def _tap(run: WrittenRun, **fields: Any) -> Line:
    """Return an answered tap."""
    return next(grab for grab in run.of("grab", **fields) if grab["t_reply"] is not None)


def _broken(run: WrittenRun, absences: Sequence[Absence] = ()) -> set[str]:
    return {violation.invariant for violation in audit(*run.read(), run=Circumstances(absences))}


def test_two_answers_that_were_never_sent_are_a12() -> None:
    """Each of them counts, and the tap is shown."""
    run = a_run()
    for viewer in ("v1", "v2"):
        unsent(_tap(run, viewer=viewer, type="fail"))

    found = [violation for violation in run.audit() if violation.invariant == "A12"]

    assert run.broken() == {"A12"}
    assert sum("of 2)" in violation.detail or len(found) == 2 for violation in found) == len(found)
    assert found[0].evidence[0]["t_gave_up"] is not None


def test_a_lost_connection_a_late_answer_and_a_fault_are_no_violation() -> None:
    """Each is known, and counted as unknown by design unless the answer came after all."""
    run = a_run()
    before = unknown_by_design(run.read()[1], ())
    assert before > 0  # connections that were lost with their taps
    tap = _tap(run, type="fail")
    late = dict(tap) | {"again": True, "i": 0}
    unsent(tap)
    struck = Absence(tap["t_sent"] + NS_PER_MS, tap["t_sent"] + 2 * NS_PER_MS)

    assert _broken(run) == {"A12"}
    assert _broken(run, [struck]) == set()
    assert unknown_by_design(run.read()[1], [struck]) == before + 1
    assert _broken(run, [Absence(tap["t_gave_up"] + NS_PER_MS, None)]) == {"A12"}
    run.history = [late, *run.history]
    run.history[-1]["grabs"] += 1
    assert _broken(run) == set()


def test_a_viewer_whose_process_slept_proves_nothing() -> None:
    """Its socket may have held the receipt all the time."""
    run = a_run()
    tap = _tap(run, type="fail")
    unsent(tap)
    sample = {"kind": "health", "t": tap["t_sent"] + NS_PER_MS, "cpu": 0.1, "steal": 0.0, "descriptors": 9}

    run.history = [sample | {"lag_ms": 100.0}, *run.history]
    assert run.broken() == {"A12"}
    run.history = [sample | {"lag_ms": 3_000.0}, *run.history]
    assert run.broken() == set()


def test_a_sleep_that_ended_long_after_counts_from_when_it_began() -> None:
    """A lag is sampled when it is over; one that began after the viewer's patience had ended excuses nothing."""
    run = a_run()
    tap = _tap(run, type="fail")
    unsent(tap)
    later = {"kind": "health", "t": tap["t_gave_up"] + 60_000 * NS_PER_MS, "cpu": 0.1, "steal": 0.0, "descriptors": 9}

    run.history = [later | {"lag_ms": 20_000.0}, *run.history]
    assert run.broken() == {"A12"}
    run.history = [later | {"lag_ms": 62_000.0}, *run.history]
    assert run.broken() == set()


def test_a_second_receipt_for_one_tap_is_a12() -> None:
    """Equal bytes or not: it was sent once."""
    run = a_run()
    tap = next(grab for grab in run.of("grab", type="fail") if len(run.of("grab", request_id=grab["request_id"])) == 1)
    run.history = [tap | {"again": True}, *run.history]
    run.history[-1]["grabs"] += 1

    assert run.broken() == {"A12"}


def test_two_swapped_receipts_are_a4_and_a12() -> None:
    """Each connection got the other's, and both waited in vain for their own."""
    run = a_run()
    one, other = _tap(run, viewer="v1", type="fail"), _tap(run, viewer="v2", type="fail")
    run.history = [stray(one, "v2.0"), stray(other, "v1.0"), *run.history]
    unsent(one)
    unsent(other)

    assert run.broken() == {"A4", "A12"}
    assert any("v2.0 of v2 got a receipt" in violation.detail for violation in run.audit())


def test_a_receipt_that_nobody_asked_for_is_a4() -> None:
    """A request of nobody, and a request of its own for another packet."""
    for change in ({"request_id": "made up"}, {"packet": "c1.p1"}):
        run = a_run()
        tap = _tap(run, viewer="v1", packet="c1.p0")
        run.history = [stray(tap, "v1.0") | change, *run.history]

        assert run.broken() == {"A4"}


def test_a_receipt_that_the_viewer_had_forgotten_is_no_stray() -> None:
    """Its seat did send the request, over any of its connections."""
    run = a_run()
    run.history = [stray(_tap(run, viewer="v1"), "v1.1"), *run.history]

    assert run.broken() == set()
