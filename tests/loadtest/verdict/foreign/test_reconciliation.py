"""Reconciliation: receipts without a claim, claims without a tap, and pairs that differ."""

import pytest

from loadtest.record.foreign_books import ForeignClaim
from tests.loadtest.foreign_run import Line, a_claim, a_grab, a_run_of

TOLD = a_grab("v1", "granted", claim_id="c1", index=0, amount_fen=100)
HELD = {"claim_id": "c1", "index": 0, "amount_fen": 100}


def _found(claims: list[ForeignClaim], *grabs: Line, **declared: bool) -> list[tuple[str, str]]:
    return [(one.invariant, one.detail) for one in a_run_of(*grabs, claims=claims, **declared).audit()]


@pytest.mark.parametrize(
    "claim", [HELD, {}, {"amount_fen": 100}, {"index": 0}, {"claim_id": "c1"}, {"request_id": "r-v1"}]
)
def test_books_may_say_less_than_receipts(claim: Line) -> None:
    """A field missing in the books contradicts no receipt."""
    assert _found([a_claim("v1", **claim)], TOLD) == []


def test_a_lost_acknowledgement_is_shown() -> None:
    """The viewer was told, the books do not know of it: all its shares, or one of two."""
    ((invariant, detail),) = _found([], TOLD)
    assert (invariant, "v1" in detail) == ("A5", True)
    second = a_grab("v1", "granted", 1_200, request_id="r2", claim_id="c2", index=1)
    ((invariant, detail),) = _found([a_claim("v1", **HELD)], TOLD, second, one_per_viewer=False)
    assert (invariant, "claim c2" in detail) == ("A5", True)


@pytest.mark.parametrize("change", [{"amount_fen": 99}, {"claim_id": "c9", "index": 7}, {"index": 1, "claim_id": None}])
def test_books_that_say_otherwise_are_shown(change: Line) -> None:
    """Another amount, another claim or another index, with receipt and claim."""
    run = a_run_of(TOLD, claims=[a_claim("v1", **(HELD | change))], share_count=9)
    (found,) = run.audit()
    assert found.invariant == "A4"
    assert [record["kind"] for record in found.evidence] == ["grab", "claim"]


def test_claims_find_their_shares_in_any_order() -> None:
    """Two shares of one viewer are told apart by name or by amount."""
    second = a_grab("v1", "granted", 1_200, request_id="r2", claim_id="c2", amount_fen=80)
    for one, other in (({"claim_id": "c2"}, {"claim_id": "c1"}), ({"amount_fen": 80}, {"amount_fen": 100})):
        assert _found([a_claim("v1", **one), a_claim("v1", **other)], TOLD, second, one_per_viewer=False) == []


def test_a_claim_that_nobody_asked_for_is_shown() -> None:
    """By a viewer that never tapped, was refused each time, or by another request; a lost answer explains it."""
    assert _found([a_claim("v2")])[0][1] == "v2 has a share by the books, but never tapped for it"
    refused = a_grab("v2", "too_early", 900)
    assert "was refused (too_early) each time" in _found([a_claim("v2", index=0)], refused)[0][1]
    lost = a_grab("v2", None, request_id="r1")
    assert _found([a_claim("v2", request_id="r1")], refused, lost) == []
    assert "by a request r9 that did not win it" in _found([a_claim("v2", request_id="r9")], lost)[0][1]


def test_claims_of_other_packets_are_none_of_this_run() -> None:
    """A service may have had other storms before."""
    assert _found([a_claim("v1", **HELD), a_claim("v7")._replace(packet_id="p0")], TOLD) == []  # type: ignore[arg-type]
