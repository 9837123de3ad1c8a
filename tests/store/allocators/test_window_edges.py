"""
The edges of the window on the test clock: a probe taps at the last millisecond before each edge and at the edge.

No crowd can tap to the millisecond, nor is the clock between two hosts that good; a clock that stands still is.
"""

import hashlib

import pytest

from server.core.packets.claim import ClaimStatus
from server.store.allocators.default import DefaultAllocator
from server.store.connection import _Script
from tests.store.desk import CLAIM_END_AT_MS, GRAB_AT_MS, ROOM, Desk, grab

EDGES = {
    GRAB_AT_MS - 1: ClaimStatus.TOO_EARLY,
    GRAB_AT_MS: ClaimStatus.GRANTED,
    CLAIM_END_AT_MS - 1: ClaimStatus.GRANTED,
    CLAIM_END_AT_MS: ClaimStatus.TOO_LATE,
}
"""The answer to a tap at each instant (ALL-CLM-1)."""

OPENS = "if at_ms < whole(record[3], 'packet') then return 'e' end"
ENDS = "if at_ms >= whole(record[4], 'packet') then return 'l' end"


async def probe(desk: Desk) -> dict[int, ClaimStatus]:
    """Tap at every edge, each time as another viewer, and return the wrong answers by their instants."""
    packet_id = await desk.open_packet([5] * len(EDGES))
    allocator = DefaultAllocator(desk.store, desk.clock, lambda: True)
    wrong = {}
    for number, (at_ms, right) in enumerate(EDGES.items()):
        await desk.at(at_ms)
        [claim] = await allocator.claim(packet_id, ROOM, [grab(f"v{number}")])
        if claim.status != right:
            wrong[at_ms] = claim.status
    return wrong


async def test_the_window_opens_and_ends_to_the_millisecond(desk: Desk) -> None:
    """Half-open: its first millisecond is inside, its end is not."""
    assert await probe(desk) == {}


@pytest.mark.parametrize(
    ("line", "wrong", "found"),
    [
        (ENDS, "at_ms >= whole(record[4], 'packet') - 1", {CLAIM_END_AT_MS - 1: ClaimStatus.TOO_LATE}),
        (ENDS, "at_ms >= whole(record[4], 'packet') + 1", {CLAIM_END_AT_MS: ClaimStatus.GRANTED}),
        (ENDS, "at_ms > whole(record[4], 'packet')", {CLAIM_END_AT_MS: ClaimStatus.GRANTED}),
        (OPENS, "at_ms < whole(record[3], 'packet') - 1", {GRAB_AT_MS - 1: ClaimStatus.GRANTED}),
        (OPENS, "at_ms <= whole(record[3], 'packet')", {GRAB_AT_MS: ClaimStatus.TOO_EARLY}),
    ],
)
async def test_the_probe_finds_an_edge_that_is_off_by_a_millisecond(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, line: str, wrong: str, found: dict[int, ClaimStatus]
) -> None:
    """Planted into the script: nothing else finds so little."""
    scripts = desk.store._scripts
    text = scripts["claim"].text
    assert text.count(line) == 1
    text = text.replace(line, f"if {wrong} then{line.partition(' then')[2]}")
    sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    monkeypatch.setattr(desk.store, "_scripts", {**scripts, "claim": _Script(text, sha)})
    assert await probe(desk) == found
