"""A13: a refusal that cannot have been true when it was told is a violation, one within the clock's error is not."""

from typing import Any

import pytest

from loadtest.verdict.audit import audit
from loadtest.verdict.audit.circumstances import CLOCK_SLACK_NS, RATE_LIMITS, Absence, Circumstances
from server.gateway.limits import PROFILES
from tests.loadtest.written_run import NS_PER_MS, T0_NS, Line, WrittenRun, a_run

SLACK_MS = CLOCK_SLACK_NS // NS_PER_MS
KNOWN = Circumstances(limits="load", store_is_known=True)


def _tapped(run: WrittenRun, sent_ms: float, reply_ms: float, status: str, **fields: Any) -> Line:
    """Add a tap over v0.0, by nobody with a share, at these instants after the opening of the first packet."""
    opens_ms = run.of("packet", packet_id="c1.p0")[0]["grab_at_ms"]
    tap: Line = run.of("grab", packet="c1.p0")[0] | {
        "conn": "v0.0", "viewer": "loser", "request_id": f"late-{len(run.history)}", "type": "fail", "status": status,
        "t_sent": T0_NS + round((opens_ms + sent_ms) * NS_PER_MS), "receipt": "bytes",
        "t_reply": T0_NS + round((opens_ms + reply_ms) * NS_PER_MS), "amount_fen": None, "index": None,
        "claim_id": None,
    } | fields  # fmt: skip
    run.history = [tap, *run.history]
    run.history[-1]["grabs"] += 1
    return tap


def _broken(run: WrittenRun, circumstances: Circumstances = KNOWN) -> set[str]:
    return {violation.invariant for violation in audit(*run.read(), run=circumstances)}


@pytest.mark.parametrize(
    ("status", "sent_ms", "reply_ms", "told"),
    [
        ("too_early", 100, 105, {"A13"}),
        ("too_early", SLACK_MS - 5, SLACK_MS, set()),
        ("too_late", 650, 700, {"A13"}),  # a closing that is 300 ms early
        ("too_late", 990, 1_000, set()),
        ("voided", 400, 410, {"A13"}),
        ("not_found", 400, 410, {"A13"}),
    ],
)
def test_a_refusal_is_held_against_the_schedule(status: str, sent_ms: int, reply_ms: int, told: set[str]) -> None:
    """Between the tap and its answer there must be an instant at which it was true."""
    run = a_run()
    _tapped(run, sent_ms, reply_ms, status)
    assert _broken(run) == told


def test_exhausted_before_the_last_share_of_its_edition_is_a13() -> None:
    """The journal says when the last share went."""
    run = a_run(share_count=20, viewers=30)
    _tapped(run, -120, -110, "exhausted", edition=1)
    assert "A13" in _broken(run)


def test_unavailable_needs_an_absence_that_somebody_else_saw() -> None:
    """A fault of the schedule, or the server's own log; where neither is known nothing is said."""
    run = a_run()
    tap = _tapped(run, 100, 110, "unavailable", type="info")
    away = Absence(tap["t_sent"] - NS_PER_MS, tap["t_sent"])
    assert _broken(run) == {"A13"}
    assert _broken(run, KNOWN._replace(absences=[away])) == set()
    assert _broken(run, Circumstances()) == set()
    for packet in run.of("packet"):
        packet["allocator"] = "watch-multi"  # it gives up by itself when it is raced
    assert _broken(run) == set()


def test_rate_limited_is_recomputed_from_the_taps_of_its_connection() -> None:
    """Legal past the stated rate or with too many grabs in flight, whoever else taps; by the limits of the run."""
    run = a_run()
    _tapped(run, 100, 110, "rate_limited")
    assert _broken(run) == {"A13"}
    assert _broken(run, KNOWN._replace(limits="production")) == {"A13"}
    assert _broken(run, KNOWN._replace(limits="unknown")) == set()
    for nth in range(60):
        _tapped(run, -500 + nth, -499 + nth, "too_early")
    assert _broken(run, KNOWN._replace(limits="production")) == set()
    assert _broken(run) == {"A13"}


def test_many_grabs_in_flight_may_be_refused() -> None:
    """A burst of taps that wait for their receipts together."""
    run = a_run()
    for nth in range(11):
        _tapped(run, -100 + nth, -50 + nth, "too_early")
    _tapped(run, -60, -59, "rate_limited")
    assert _broken(run, KNOWN._replace(limits="production")) == set()


def test_the_stated_limits_are_the_server_s() -> None:
    """They are written down once more, because the judge shares no code with the judged."""
    assert {name: limits.session for name, limits in PROFILES.items()}.keys() == RATE_LIMITS.keys()
    for name, limits in PROFILES.items():
        session = limits.session
        assert RATE_LIMITS[name] == (session.messages_max, session.period_ms, session.grabs_in_flight_max)


def test_without_a_reading_of_the_clock_the_schedule_is_not_compared() -> None:
    """An older history does not have one."""
    run = a_run()
    _tapped(run, 100, 105, "too_early")
    run.history = [line for line in run.history if line["kind"] != "reading"]
    assert _broken(run) == set()


def test_exhausted_names_an_edition_that_was_empty() -> None:
    """One that the packet never had, or one before the last that was never given away, was not."""
    run = a_run(share_count=40)
    tap = _tapped(run, 400, 410, "exhausted", edition=0)
    assert _broken(run) == {"A13"}
    packet = run.of("packet", packet_id="c1.p0")[0]
    first = {"edition": 1, "first_index": 0, "share_count": 39, "total_fen": 0, "commitment": None, "seed": None}
    packet |= {"edition": 2, "editions": [first, first | {"edition": 2, "first_index": 39, "share_count": 1}]}
    tap["edition"] = 1
    assert "A13" in _broken(run)
    run.drop(tap)
    assert "A13" not in _broken(run)
