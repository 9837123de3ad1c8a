"""A foreign case: receipts are sorted into the fewest shares that they can be about."""

from typing import Any

import pytest

from loadtest.record.shape import BadRecord
from tests.loadtest.foreign_run import MS, a_grab, a_run_of

Line = dict[str, Any]


@pytest.mark.parametrize(
    ("grabs", "shares"),
    [
        ([("granted", {"claim_id": "c1", "index": 0}), ("repeated", {"index": 0})], 1),
        ([("granted", {"claim_id": "c1"}), ("repeated", {"index": 0})], 1),
        ([("granted", {"claim_id": "c1"}), ("repeated", {})], 1),
        ([("granted", {"claim_id": "c1"}), ("granted", {"claim_id": "c1"})], 1),
        ([("granted", {"claim_id": "c1"}), ("granted", {})], 1),
        ([("granted", {}), ("repeated", {})], 1),
        ([("repeated", {}), ("repeated", {})], 1),
        ([("granted", {"request_id": "r"}), ("granted", {"request_id": "r"})], 1),
        ([("granted", {"claim_id": "c1"}), ("granted", {"claim_id": "c2"})], 2),
        ([("granted", {"index": 1}), ("repeated", {"index": 2})], 2),
        ([("granted", {"claim_id": "c1", "index": 1}), ("repeated", {"claim_id": "c2", "index": 1})], 2),
        ([("granted", {}), ("granted", {})], 2),
    ],
)
def test_receipts_make_shares(grabs: list[tuple[str, Line]], shares: int) -> None:
    """By claim id, else by index; where nothing is named, each tap that was granted has a share of its own."""
    taps = [a_grab("v1", status, request_id=f"r{at}") | fields for at, (status, fields) in enumerate(grabs)]
    for order in (taps, taps[::-1]):
        (case,) = a_run_of(*order).cases()
        assert len(case.shares) == shares


def test_a_share_gathers_what_its_receipts_say() -> None:
    """One receipt has the name, another the amount; the first answered comes first."""
    first = a_grab("v1", "repeated", 1_000, amount_fen=70, request_id="r1")
    second = a_grab("v1", "granted", 1_050, claim_id="c1", index=2, request_id="r2")
    (case,) = a_run_of(second, first).cases()
    (share,) = case.shares
    assert (share.claim_id, share.index, share.amount_fen, share.first.request_id) == ("c1", 2, 70, "r1")
    assert str(share) == "v1's share (claim c1, index 2, 70 fen)"
    assert case.told_fen == 70


def test_what_may_have_won_is_counted_by_viewer_or_by_tap() -> None:
    """A viewer that holds its share can have won no other; where it may hold many, each lost tap can."""
    grabs = [
        a_grab("v1", "granted"), a_grab("v1", None, request_id="r2"),
        a_grab("v2", None), a_grab("v2", None, 1_050, request_id="r2"),
    ]  # fmt: skip
    (one_each,) = a_run_of(*grabs).cases()
    (many,) = a_run_of(*grabs, one_per_viewer=False).cases()
    assert (one_each.possible, many.possible) == (1, 3)
    assert one_each.unknown["v2"] == 1_050 * MS  # type: ignore[index]


def test_a_packet_that_nobody_declared_is_refused() -> None:
    """A grab of an undeclared packet is an error, not ignored."""
    with pytest.raises(BadRecord, match="v1 grabbed p9, which"):
        a_run_of(a_grab("v1", "granted", packet="p9")).cases()
