"""The port: what every allocator owes its callers, whichever adapter stands behind it."""

from collections.abc import AsyncIterator

import pytest

from server.core.ids import PacketId
from server.core.packets.claim import ClaimStatus
from server.store.allocators.default import DefaultAllocator
from server.store.allocators.naive import NaiveAllocator
from server.store.allocators.port import Allocator
from tests.store.desk import Desk, crowd, grab

S = ClaimStatus


@pytest.fixture(params=["default", "naive"])
async def adapter(request: pytest.FixtureRequest, desk: Desk) -> AsyncIterator[tuple[str, Allocator]]:
    if request.param == "default":
        default = DefaultAllocator(desk.store, desk.clock, lambda: True)
        yield request.param, default
        await default.caught_up()
    else:
        naive = NaiveAllocator(desk.store)
        yield request.param, naive
        await naive.close()


async def test_every_grab_is_answered_in_order(desk: Desk, adapter: tuple[str, Allocator]) -> None:
    """One claim per grab, with its viewer, its request and its packet; a held share says which."""
    name, allocator = adapter
    packet_id = await desk.open_packet([5] * 10, allocator=name)
    grabs = [*crowd(3), grab("v0", "q0"), grab("v1", "other")]
    for one in grabs[:3]:
        await allocator.claim(packet_id, [one])

    claims = await allocator.claim(packet_id, grabs)

    assert [(g.viewer_id, g.request_id, packet_id) for g in grabs] == [
        (claim.viewer_id, claim.request_id, claim.packet_id) for claim in claims
    ]
    assert [claim.status for claim in claims] == [S.GRANTED, S.GRANTED, S.GRANTED, S.GRANTED, S.REPEATED]
    assert [claim.share.index for claim in claims if claim.share] == [0, 1, 2, 0, 1]


async def test_a_refusal_is_an_answer(desk: Desk, adapter: tuple[str, Allocator]) -> None:
    """An unknown packet raises nothing."""
    _, allocator = adapter

    assert [claim.status for claim in await allocator.claim(PacketId("c1.none"), crowd(3))] == [S.NOT_FOUND] * 3
