"""Measures of a foreign run: each number by its definition, and None where the evidence cannot tell it."""

from typing import Any

import pytest

from loadtest.verdict.foreign import measure_foreign
from loadtest.verdict.metrics import METRICS
from tests.loadtest.foreign_run import ForeignRun, a_claim, a_grab, a_run_of

GIVEN = [a_grab(f"v{at}", "granted", 1_100 + at, claim_id=f"c{at}", amount_fen=100) for at in range(3)]
REFUSED = a_grab("v9", "exhausted", 1_200)


def _measured(run: ForeignRun) -> dict[str, Any]:
    values = measure_foreign(run.cases(), run.read()[1])
    assert list(values) == list(METRICS)
    return values


def test_receipts_tell_what_was_given() -> None:
    """Shares once each, latencies from the planned tap; what only books tell is None."""
    again = a_grab("v0", "repeated", 1_150, request_id="r2", claim_id="c0")
    values = _measured(a_run_of(*GIVEN, again, REFUSED, a_grab("v8", None), total_fen=300))
    assert (values["grabs"], values["granted"], values["granted_fen"]) == (5, 3, 300)
    assert (values["over_issued_fen"], values["under_issued_fen"], values["duplicate_claims"]) == (0, 0, 0)
    assert (values["issued_fen"], values["lost_acks"]) == (None, None)
    assert values["grab_latency_ms"]["max"] == pytest.approx(5.0)
    assert values["statuses"] == {"eager": {"exhausted": 1, "granted": 3, "repeated": 1, "unknown": 1}}
    (packet,) = values["packets"]
    assert (packet["packet_id"], packet["granted"], packet["granted_fen"], packet["sold_out"]) == ("p1", 3, 300, True)


def test_nothing_measured_is_not_zero() -> None:
    """A distribution without a value has no percentile that a threshold could meet."""
    values = _measured(a_run_of(a_grab("v1", None)))
    for name in ("grab_latency_ms", "grab_latency_from_send_ms", "fanout_skew_ms", "start_skew_ms"):
        assert values[name] is None
    assert (values["granted"], values["granted_fen"], values["send_debt_ms"]["max"]) == (0, 0, 0.0)


def test_what_was_given_beyond_the_packet_is_counted() -> None:
    """Superfluous shares by receipts, money beyond the total by either side, and unknown without amounts."""
    assert _measured(a_run_of(*GIVEN, share_count=2))["over_issued_fen"] == 100
    assert _measured(a_run_of(*GIVEN, total_fen=250))["over_issued_fen"] == 50
    books = [a_claim(f"v{at}", amount_fen=130) for at in range(3)]
    values = _measured(a_run_of(*GIVEN, total_fen=300, claims=books))
    assert (values["over_issued_fen"], values["issued_fen"]) == (90, 390)
    unnamed = [a_grab(f"v{at}", "granted") for at in range(3)]
    assert _measured(a_run_of(*unnamed))["over_issued_fen"] == 0
    assert _measured(a_run_of(*unnamed, share_count=2))["over_issued_fen"] is None
    assert _measured(a_run_of(*unnamed, total_fen=300))["over_issued_fen"] is None


def test_what_was_left_is_counted_where_nothing_was_said_to_be_left() -> None:
    """Of packets of which viewers heard that; a lost answer leaves it open, and so does a total that is not known."""
    assert _measured(a_run_of(*GIVEN[:2], total_fen=300))["under_issued_fen"] == 0
    assert _measured(a_run_of(*GIVEN[:2], REFUSED, total_fen=300))["under_issued_fen"] == 100
    assert _measured(a_run_of(*GIVEN[:2], REFUSED, a_grab("v8", None), total_fen=300))["under_issued_fen"] is None
    assert _measured(a_run_of(*GIVEN[:2], REFUSED))["under_issued_fen"] is None
    assert _measured(a_run_of(*GIVEN, REFUSED))["under_issued_fen"] == 0


def test_duplicates_and_lost_acknowledgements_are_counted_per_viewer() -> None:
    """A second share is one too many wherever it stands; who is told and has nothing has lost one."""
    second = a_grab("v0", "granted", 1_300, request_id="r2", claim_id="c9", amount_fen=1)
    assert _measured(a_run_of(*GIVEN, second))["duplicate_claims"] == 1
    assert _measured(a_run_of(*GIVEN, second, one_per_viewer=False))["duplicate_claims"] == 0
    values = _measured(a_run_of(*GIVEN, claims=[a_claim("v0"), a_claim("v0"), a_claim("v1")]))
    assert (values["duplicate_claims"], values["lost_acks"]) == (1, 1)
