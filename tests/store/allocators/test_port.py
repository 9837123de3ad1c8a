"""The port: what every allocator owes its callers, whichever class stands behind it."""

from collections.abc import AsyncIterator

import pytest

from server.core.ids import PacketId
from server.core.packets.claim import ClaimStatus
from server.store.allocators.port import Allocator, Grab, RequestId, ViewerId, refusals
from server.store.allocators.registry import BUILT_IN
from tests.store.desk import ROOM, Desk, crowd, grab

S = ClaimStatus


@pytest.fixture(params=list(BUILT_IN))
async def adapter(request: pytest.FixtureRequest, desk: Desk) -> AsyncIterator[tuple[str, Allocator]]:
    context = desk.context()
    allocator = BUILT_IN[request.param].make(context)
    await allocator.open()
    yield request.param, allocator
    await allocator.close()
    await context.close()


async def test_every_grab_is_answered_in_order(desk: Desk, adapter: tuple[str, Allocator]) -> None:
    """One claim per grab, with its viewer, its request and its packet; a held share says which."""
    name, allocator = adapter
    packet_id = await desk.open_packet([5] * 10, allocator=name)
    grabs = [*crowd(3), grab("v0", "q0"), grab("v1", "other")]
    for one in grabs[:3]:
        await allocator.claim(packet_id, ROOM, [one])

    claims = await allocator.claim(packet_id, ROOM, grabs)

    assert [(g.viewer_id, g.request_id, packet_id) for g in grabs] == [
        (claim.viewer_id, claim.request_id, claim.packet_id) for claim in claims
    ]
    assert [claim.status for claim in claims] == [S.GRANTED, S.GRANTED, S.GRANTED, S.GRANTED, S.REPEATED]
    assert [claim.share.index for claim in claims if claim.share] == [0, 1, 2, 0, 1]


async def test_a_refusal_is_an_answer(desk: Desk, adapter: tuple[str, Allocator]) -> None:
    """An unknown packet raises nothing."""
    _, allocator = adapter

    claims = await allocator.claim(PacketId("c1.none"), ROOM, crowd(3))

    assert [claim.status for claim in claims] == [S.NOT_FOUND] * 3


def test_a_refusal_for_all_names_each() -> None:
    """Every grab gets the same answer under its own name."""
    grabs = [Grab(ViewerId(f"v{n}"), RequestId(f"q{n}")) for n in range(2)]

    claims = refusals(PacketId("c1.p"), grabs, S.UNAVAILABLE)

    assert [(claim.viewer_id, claim.status, claim.edition) for claim in claims] == [
        ("v0", S.UNAVAILABLE, 0), ("v1", S.UNAVAILABLE, 0),
    ]  # fmt: skip
