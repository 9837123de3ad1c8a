"""The classics: each is right with one viewer after another; under load each shows what its docstring says."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from server.core.packets.claim import Claim, ClaimStatus
from server.store.allocators.port import Allocator
from server.store.allocators.registry import BUILT_IN
from tests.store.desk import ROOM, Desk, grab

S = ClaimStatus


@pytest.fixture
async def made(request: pytest.FixtureRequest, desk: Desk) -> AsyncIterator[list[Allocator]]:
    """Two of the allocator named by the parameter, as two processes have them."""
    contexts = [desk.context() for _ in range(2)]
    yield [BUILT_IN[request.param].make(context) for context in contexts]
    for context in contexts:
        await context.close()


async def race(desk: Desk, name: str, made: list[Allocator]) -> list[Claim]:
    """Sixty viewers tap twice at once, in both processes, for twenty shares."""
    packet_id = await desk.open_packet(list(range(1, 21)), allocator=name)
    taps = [one for n in range(60) for one in (grab(f"v{n}", f"a{n}"), grab(f"v{n}", f"b{n}"))]
    answers = await asyncio.gather(*(made[n % 2].claim(packet_id, ROOM, [tap]) for n, tap in enumerate(taps)))
    return [claim for [claim] in answers]


@pytest.mark.parametrize(("made", "name"), [(name, name) for name in ("counter", "watch-multi")], indirect=["made"])
async def test_the_correct_ones_give_each_share_once_and_each_viewer_one(
    desk: Desk, made: list[Allocator], name: str
) -> None:
    """Under every race the books have exactly the shares, and every receipt matches the books."""
    claims = await race(desk, name, made)

    owned = {claim.viewer_id: claim.share for claim in claims if claim.share is not None}
    assert owned == await desk.packets.claims(claims[0].packet_id)
    assert sorted(share.index for share in owned.values()) == list(range(20))
    assert all(share.amount_fen == share.index + 1 for share in owned.values())
    assert all(claim.share in (None, owned[claim.viewer_id]) for claim in claims if claim.viewer_id in owned)
    assert Counter(claim.status for claim in claims)[S.GRANTED] == 20
    counts = await desk.packets.counts(claims[0].packet_id)
    assert (counts.given, counts.given_fen, counts.remaining) == (20, 210, 0)


@pytest.mark.parametrize("made", ["list-pop"], indirect=True)
async def test_list_pop_gives_a_double_tap_two_shares_and_never_one_too_many(desk: Desk, made: list[Allocator]) -> None:
    """LPOP gives every share once; the look at who has one is another command."""
    claims = await race(desk, "list-pop", made)

    granted = [claim for claim in claims if claim.status is S.GRANTED]
    assert sorted(claim.share.index for claim in granted if claim.share) == list(range(20))
    assert max(Counter(claim.viewer_id for claim in granted).values()) == 2
    assert (await desk.packets.counts(claims[0].packet_id)).given == 20
