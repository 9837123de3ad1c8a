"""Receipts: a second share, and a second story about the first one, are shown side by side."""

import pytest

from tests.loadtest.foreign_run import Line, a_claim, a_grab, a_run_of


def _both(run_of: list[Line], invariant: str) -> list[str]:
    found = [one for one in a_run_of(*run_of).audit() if one.invariant == invariant]
    assert len(found) == 1
    assert "v1" in found[0].detail
    return [record["request_id"] for record in found[0].evidence]


@pytest.mark.parametrize(
    ("first", "second"),
    [({"claim_id": "c1"}, {"claim_id": "c2"}), ({"index": 0}, {"index": 1}), ({}, {})],
)
def test_two_shares_of_one_viewer_are_shown_with_both_receipts(first: Line, second: Line) -> None:
    """By claim id or index; where the service names none, two taps that it granted are two shares."""
    grabs = [
        a_grab("v1", "granted", request_id="r1", **first),
        a_grab("v1", "granted", 1_150, request_id="r2", **second),
    ]
    assert _both(grabs, "A3") == ["r1", "r2"]
    assert a_run_of(*grabs, one_per_viewer=False).audit() == []


def test_two_amounts_are_two_shares_where_nothing_is_named() -> None:
    """A repeat that tells another amount speaks of another share, or lies about the first."""
    grabs = [
        a_grab("v1", "granted", request_id="r1", amount_fen=100),
        a_grab("v1", "repeated", 1_150, request_id="r2", amount_fen=120),
    ]
    assert _both(grabs, "A3") == _both(grabs, "A6") == ["r1", "r2"]


def test_one_claim_with_two_amounts_is_one_share() -> None:
    """The name decides that it is one; the amounts contradict each other."""
    grabs = [
        a_grab("v1", "granted", request_id="r1", claim_id="c1", amount_fen=100),
        a_grab("v1", "repeated", 1_150, request_id="r2", claim_id="c1", amount_fen=120),
    ]
    assert a_run_of(*grabs).broken() == {"A6"}
    assert _both(grabs, "A6") == ["r1", "r2"]


def test_a_repeat_of_another_share_is_shown() -> None:
    """A ``repeated`` answer that names another share than the granted one is a violation."""
    grabs = [
        a_grab("v1", "granted", request_id="r1", claim_id="c1"),
        a_grab("v1", "repeated", 1_150, request_id="r2", claim_id="c2"),
    ]
    assert a_run_of(*grabs).broken() == {"A3", "A6"}
    assert _both(grabs, "A6") == ["r1", "r2"]


def test_one_request_has_one_answer() -> None:
    """Sent twice it won two shares, or a share and a refusal; both are shown."""
    first = a_grab("v1", "granted", claim_id="c1")
    other = a_grab("v1", "granted", 1_150, claim_id="c2")
    assert a_run_of(first, other, one_per_viewer=False).broken() == {"A6"}
    refused = a_grab("v1", "exhausted", 1_150)
    found = a_run_of(first, refused, a_grab("v2", "granted"), a_grab("v3", "granted")).audit()
    assert [(one.invariant, one.detail) for one in found] == [
        ("A6", "request r-v1 of v1 was granted and refused for lack of shares")
    ]
    assert [record["status"] for record in found[0].evidence] == ["granted", "exhausted"]


def test_honest_repeats_are_clean() -> None:
    """A retry may be answered with granted or with repeated, with or without the name; a limit may refuse it."""
    grabs = [
        a_grab("v1", "granted", request_id="r1", claim_id="c1", amount_fen=100),
        a_grab("v1", "granted", 1_120, request_id="r1", claim_id="c1", amount_fen=100),
        a_grab("v1", "repeated", 1_130, request_id="r2"),
        a_grab("v1", "repeated", 1_140, request_id="r1", claim_id="c1"),
        a_grab("v1", "rate_limited", 1_150, request_id="r1"),
        a_grab("v2", None, request_id="r1"),
        a_grab("v2", "repeated", 1_150, request_id="r1"),
    ]
    assert a_run_of(*grabs).audit() == []


def test_two_claims_of_one_viewer_in_the_books_are_shown() -> None:
    """Two shares of one viewer in the books are a violation, even if the receipts do not show them."""
    books = [a_claim("v1", claim_id="c1"), a_claim("v1", claim_id="c2")]
    assert a_run_of(a_grab("v1", None), claims=books).broken() == {"A3"}
    assert a_run_of(a_grab("v1", None), claims=books, one_per_viewer=False).audit() == []
