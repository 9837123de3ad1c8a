"""A packet's record: what its counters mean under each allocator."""

import pytest

from server.store.packet_record import Counts, counts_from, record_from, seed_of, share_from


def a_record(**changes: str) -> dict[bytes, bytes]:
    fields = {
        "allocator": "default",
        "state": "launched",
        "share_count": "10",
        "total_fen": "100",
        "given": "4",
        "given_fen": "30",
        "returned": "0",
        "returned_fen": "0",
        "seed": "ff00",
        "claim_end_at_ms": "1000",
        **changes,
    }
    return {name.encode(): value.encode() for name, value in fields.items()}


def test_the_default_allocators_list_says_what_remains() -> None:
    """Remaining shares are counted where they are, not computed: a share that vanished shows."""
    assert Counts(4, 30, 6, 70, 0, 0) == counts_from(a_record(), 6)
    assert Counts(4, 30, 5, 70, 0, 0) == counts_from(a_record(), 5)


def test_another_allocator_may_leave_its_shares_in_the_list() -> None:
    """The remaining shares follow from the counter, and are never negative."""
    assert Counts(4, 30, 6, 70, 0, 0) == counts_from(a_record(capabilities=""), 10)
    assert Counts(12, 120, 0, 0, 0, 0) == counts_from(a_record(capabilities="", given="12", given_fen="120"), 10)
    settled = a_record(capabilities="", state="settled", returned="6", returned_fen="70")
    assert Counts(4, 30, 0, 0, 6, 70) == counts_from(settled, 0)


@pytest.mark.parametrize(
    ("state", "now_ms", "shown"),
    [
        ("draft", 5_000, False),
        ("launched", 999, False),
        ("launched", 1_000, True),
        ("settled", 0, True),
        ("voided", 0, True),
    ],
)
def test_a_seed_is_shown_when_no_share_can_be_grabbed(state: str, now_ms: int, *, shown: bool) -> None:
    """Not of a draft, not while the window lasts."""
    assert (bytes.fromhex("ff00") if shown else None) == seed_of(a_record(state=state), now_ms)


def test_a_stored_claim_is_read_back() -> None:
    """Index, amount, edition and the tap that won it."""
    share = share_from(b"3:250:1:q-7")

    assert (share.index, share.amount_fen, share.edition, share.request_id) == (3, 250, 1, "q-7")


def test_a_scripts_flat_record_becomes_a_record() -> None:
    """Fields and values alternate."""
    assert record_from([b"a", b"1", b"b", b"2"]) == {b"a": b"1", b"b": b"2"}
