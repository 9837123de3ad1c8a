"""Declared packets: read as they were written, and refused by name if they cannot be."""

from typing import Any

import pytest

from loadtest.record.declared import declarations_from
from loadtest.record.shape import BadRecord

P1: dict[str, Any] = {
    "packet_id": "p1", "share_count": 3, "total_fen": 300, "opens_ns": 5, "closes_ns": 9, "one_per_viewer": True,
    "min_share_fen": 1, "max_share_fen": 200,
}  # fmt: skip


def test_declarations_come_back_as_they_were() -> None:
    """All that may be unknown may be null, or not be there at all."""
    short = {"packet_id": "p2", "share_count": 1, "one_per_viewer": False}
    first, second = declarations_from([P1, short]).values()
    assert first._asdict() == P1
    assert (second.total_fen, second.opens_ns, second.max_share_fen) == (None, None, None)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"share_count": "3"}, "share_count must be int"),
        ({"share_count": 0}, "at least 1"),
        ({"one_per_viewer": None}, "one_per_viewer"),
    ],
)
def test_a_bad_declaration_names_its_field(change: dict[str, Any], told: str) -> None:
    """A run whose declaration is broken is not judged by a guess."""
    with pytest.raises(BadRecord, match=told):
        declarations_from([P1 | change])


def test_a_packet_is_declared_once() -> None:
    """Two declarations of one packet contradict each other, even if they are equal."""
    with pytest.raises(BadRecord, match="p1 is declared twice"):
        declarations_from([P1, P1])
