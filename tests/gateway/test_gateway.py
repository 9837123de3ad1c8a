"""The gateway: admission and the services it offers."""

from dataclasses import replace

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from server.core.ids import PacketId, RoomId, ViewerId
from server.core.refusal import Refused
from server.gateway.door import Door
from server.gateway.gateway import Gateway
from server.gateway.handshake import TOKEN_REFUSED, JoinRequest, Rejection
from server.gateway.identity import Identity
from server.gateway.limits import PRODUCTION, Limits
from server.gateway.proxies import TrustedProxies
from server.gateway.resume import ResumeTokens
from server.gateway.signing import Signer
from server.gateway.tickets import Tickets
from server.store.connection import Store
from tests.gateway.house import CREATOR, SEED, House, open_house


@pytest.mark.parametrize(
    ("limits", "code", "status"),
    [
        (replace(PRODUCTION, room_viewers_max=2), "room_full", 503),
        (replace(PRODUCTION, connections_per_address_max=2), "too_many_connections", 429),
        (replace(PRODUCTION, connections_per_viewer_max=2), "too_many_connections", 429),
    ],
)
async def test_past_a_limit_nobody_comes_in(empty_store: Store, limits: Limits, code: str, status: int) -> None:
    """The third connection is refused with status and code, and admitted once another has left."""
    async with open_house(empty_store, limits) as house:
        first, _ = await house.join("v1"), await house.join("v1")
        with pytest.raises(InvalidStatus) as refused:
            await house.join("v1")
        assert refused.value.response.status_code == status
        assert code.encode() in refused.value.response.body
        await first.socket.close()
        await house.join("v1")
        assert house.gateway.metrics.connected == 2


async def test_a_viewers_limit_is_each_rooms_own(empty_store: Store) -> None:
    """The same viewer may be in two rooms."""
    async with open_house(empty_store, replace(PRODUCTION, connections_per_viewer_max=1)) as house:
        await house.rooms.create(RoomId("r2"), CREATOR, "another")
        await house.join("v1")
        async with connect(house.url("v1", room="r2"), proxy=None) as other:
            assert b'"room_id":"r2"' in await other.recv(decode=False)


async def test_an_unknown_allocator_is_refused_by_its_field(house: House) -> None:
    """A packet can only ask for an allocator that this server runs."""
    house.gateway.allocators.capabilities_of("default")
    with pytest.raises(Refused) as refused:
        house.gateway.allocators.capabilities_of("naive")
    assert refused.value.field == "allocator"


async def test_words_about_packets_nobody_knows_do_no_harm(house: House) -> None:
    """A void or a settlement of a packet that is gone, or was never launched, is no error."""
    await house.gateway.look_at(PacketId("c1.gone"))


async def test_the_audience_is_counted_per_room(house: House) -> None:
    """An unknown room has no audience; a known one has its viewers."""
    await house.join("v1")
    assert house.gateway.audience(house.room.room_id) == 1
    assert house.gateway.audience(RoomId("nowhere")) == 0


async def test_without_insecure_nobody_comes_in_by_name(house: House) -> None:
    """A gateway that is not insecure refuses a viewer with only a name."""
    secure = Gateway(
        store=house.store,
        clock=house.clock,
        rooms=house.rooms,
        feed=house.feed,
        packets=house.packets,
        follower=house.follower,
        allocators=house.allocators,
        limits=PRODUCTION,
        tokens=ResumeTokens(Signer(SEED)),
        tickets=Tickets(Signer(SEED)),
        proxies=TrustedProxies(""),
        door=Door(),
        insecure=False,
    )
    rejection = secure.identify(JoinRequest(house.room.room_id, ViewerId("v1")))
    assert isinstance(rejection, Rejection)
    assert (rejection.status, rejection.code) == (401, "ticket_needed")
    live = house.gateway.room(house.room.room_id)
    assert live is not None
    known = Identity(ViewerId("v1"), house.clock.real_ms())
    token = secure.resume_token(live, known)
    assert secure.identify(JoinRequest(house.room.room_id, ViewerId(""), resume=token)) == known
    await secure.revoke(ViewerId("v1"))
    assert secure.identify(JoinRequest(house.room.room_id, ViewerId(""), resume=token)) is TOKEN_REFUSED
