"""Issuance: too many shares, too much money, and an early end each show themselves in receipts alone."""

import pytest

from tests.loadtest.foreign_run import Line, a_claim, a_grab, a_run_of

NAMED = [a_grab(f"v{at}", "granted", 1_100 + at, claim_id=f"c{at}", amount_fen=100) for at in range(4)]
UNNAMED = [a_grab(f"v{at}", "granted", 1_100 + at) for at in range(4)]


@pytest.mark.parametrize("grabs", [NAMED, UNNAMED])
def test_one_share_too_many_is_shown_with_both_receipts(grabs: list[Line]) -> None:
    """The last that was there and the first that was not, with their viewers."""
    (found,) = a_run_of(*grabs).audit()
    assert (found.invariant, found.packet_id) == ("A1", "p1")
    assert "4 different shares, but 3 were declared" in found.detail
    assert "v2" in found.detail
    assert "v3" in found.detail
    assert [record["viewer"] for record in found.evidence if record["kind"] == "grab"] == ["v2", "v3"]
    assert a_run_of(*grabs[:3]).audit() == []


def test_too_much_money_is_shown_at_the_share_that_crosses() -> None:
    """Fewer shares than declared may hold more money than there is; an amount nobody told counts nothing."""
    (found,) = a_run_of(*NAMED[:2], total_fen=199).audit()
    assert found.invariant == "A1"
    assert "told of 200 fen, but 199 were declared" in found.detail
    assert [record["viewer"] for record in found.evidence[:2]] == ["v0", "v1"]
    assert a_run_of(*NAMED[:2], total_fen=200).audit() == []
    assert a_run_of(NAMED[0], a_grab("v1", "granted"), total_fen=100).audit() == []


def test_the_books_may_have_too_much_that_nobody_was_told_of() -> None:
    """Lost answers hide an over-issue from receipts, not from books."""
    grabs = [a_grab(f"v{at}", None) for at in range(4)]
    books = [a_claim(f"v{at}", amount_fen=100) for at in range(4)]
    (found,) = a_run_of(*grabs, claims=books).audit()
    assert (found.invariant, len(found.evidence)) == ("A1", 3)
    (found,) = a_run_of(*grabs, claims=books[:3], total_fen=299).audit()
    assert "claims sum to 300 fen, but 299 were declared" in found.detail


def test_sold_out_too_soon_is_shown() -> None:
    """Two of three were granted, everybody was answered, and somebody was told that nothing is left."""
    told = a_grab("v9", "exhausted", 1_200)
    (found,) = a_run_of(*NAMED[:2], told).audit()
    assert found.invariant == "A2"
    assert "v9 was told that nothing is left, but by all receipts 2 of 3" in found.detail
    assert [record["viewer"] for record in found.evidence if record["kind"] == "grab"] == ["v9", "v1"]
    assert a_run_of(*NAMED[:3], told).audit() == []


def test_a_lost_answer_can_explain_an_early_end() -> None:
    """A tap whose outcome nobody learned may have won the last share: only books can say that it did not."""
    told, lost = a_grab("v9", "exhausted", 1_200), a_grab("v5", None, 1_150)
    books = [a_claim("v0", claim_id="c0"), a_claim("v1", claim_id="c1")]
    assert a_run_of(*NAMED[:2], lost, told).audit() == []
    assert a_run_of(*NAMED[:2], lost, told, claims=[*books, a_claim("v5")]).audit() == []
    assert a_run_of(*NAMED[:2], lost, told, claims=books).broken() == {"A2"}
    assert a_run_of(*NAMED[:2], a_grab("v0", None, request_id="r2"), told).broken() == {"A2"}


def test_after_the_window_nothing_left_may_mean_that_it_is_over() -> None:
    """A refusal that came after the closing proves no early end; one whose closing is not known does."""
    late = a_grab("v9", "exhausted", 2_100)
    assert a_run_of(*NAMED[:2], late).audit() == []
    assert a_run_of(*NAMED[:2], late, closes_ns=None).broken() == {"A2"}


def test_money_that_stayed_behind_is_an_early_end_too() -> None:
    """All shares are out, but they are less than the packet."""
    told = a_grab("v9", "exhausted", 1_200)
    assert a_run_of(*NAMED[:3], told, total_fen=301).broken() == {"A2"}
    assert a_run_of(*NAMED[:3], told, total_fen=300).audit() == []
    assert a_run_of(*NAMED[:3], told, total_fen=301, claims=None).audit()[0].detail.endswith("sum to 300 of 301 fen")
