"""Tickets over real handshakes, on a server that accepts no names."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from server.core.ids import RoomId, ViewerId
from server.core.rooms.messages import PROTOCOL
from server.gateway.identity import Identity
from server.gateway.resume import ResumeTokens
from server.gateway.signing import Signer
from server.gateway.tickets import LASTS_MS, NO_VIEWER, OTHER_ROOM, Tickets
from server.store.connection import Store
from tests.gateway.forging import expired, forgeries, with_the_secret
from tests.gateway.house import ROOM, SEED, House, open_house

NOW_MS = 1_700_000_000_000
VERA = ViewerId("vera")
PURPOSE = "redrain.ticket"


@pytest.fixture
async def closed_house(empty_store: Store) -> AsyncIterator[House]:
    """Open a house that takes nobody by name."""
    async with open_house(empty_store, insecure=False) as house:
        yield house


def ticket(house: House, room_id: RoomId = ROOM) -> str:
    return house.gateway.ticket(room_id, VERA)


async def welcome(house: House, query: str = "", offered: str = "") -> dict[str, object]:
    """Join and return the welcome."""
    protocols = [Subprotocol(PROTOCOL), Subprotocol(f"ticket.{offered}")] if offered else None
    async with connect(f"ws://127.0.0.1:{house.port}/ws/rooms/r1{query}", subprotocols=protocols, proxy=None) as line:
        assert line.subprotocol == (PROTOCOL if offered else None)
        greeting: dict[str, object] = json.loads(await line.recv())
        assert greeting["type"] == "welcome"
        return greeting


async def joined(house: House, made: str) -> int:
    """Try to join, and return the status of the answer."""
    try:
        await welcome(house, offered=made)
    except InvalidStatus as refused:
        return refused.response.status_code
    return 101


async def turned_away(house: House, query: str = "", offered: str = "") -> tuple[int, str]:
    """Fail to join, and return status and code of the answer."""
    with pytest.raises(InvalidStatus) as refused:
        await welcome(house, query, offered)
    body = json.loads(refused.value.response.body)
    assert body["detail"]
    return refused.value.response.status_code, body["code"]


def test_a_ticket_is_of_one_viewer_for_one_room_and_one_minute() -> None:
    """Any process with the same secret accepts it for its minute, in its room only."""
    made = Tickets(Signer(SEED)).mint(VERA, ROOM, NOW_MS)
    assert LASTS_MS <= 60_000
    known = Tickets(Signer(SEED)).read(made, ROOM, NOW_MS + LASTS_MS)
    assert isinstance(known, Identity)
    assert (known.viewer_id, known.since_ms) == (VERA, NOW_MS + LASTS_MS)
    assert len(known.ticket_id) >= 16
    assert 0 < known.ticket_lasts_ms <= 2_000
    again = Tickets(Signer(SEED), reusable=True).read(made, ROOM, NOW_MS)
    assert again == Identity(VERA, NOW_MS)
    late = Tickets(Signer(SEED)).read(made, ROOM, NOW_MS + LASTS_MS + 1)
    assert (getattr(late, "status", 0), getattr(late, "code", "")) == (401, "ticket_expired")
    assert Tickets(Signer(SEED)).read(made, RoomId("r2"), NOW_MS) is OTHER_ROOM


def test_only_a_viewer_comes_in() -> None:
    """A ticket of another role, or of none, is refused."""
    for role in ({"role": "admin"}, {}):
        made = Signer(SEED).sign({"sub": VERA, "room": ROOM, **role}, purpose=PURPOSE, lasts_ms=1_000, now_ms=NOW_MS)
        assert Tickets(Signer(SEED)).read(made, ROOM, NOW_MS) is NO_VIEWER


@pytest.mark.parametrize("claims", [{"sub": "a b"}, {"sub": ""}, {"sub": "v" * 37}, {"jti": ""}, {"jti": "x" * 37}])
def test_a_ticket_names_a_viewer_and_itself(claims: dict[str, str]) -> None:
    """Also one that our secret signed is refused if its subject or its own name is no id."""
    whole = {"sub": VERA, "room": ROOM, "role": "viewer", "jti": "t1", **claims}
    made = Signer(SEED).sign(whole, purpose=PURPOSE, lasts_ms=1_000, now_ms=NOW_MS)
    bad = Tickets(Signer(SEED)).read(made, ROOM, NOW_MS)
    assert getattr(bad, "code", "") == "bad_ticket"


async def test_a_ticket_opens_the_room(closed_house: House) -> None:
    """Among the subprotocols, which stands in no URL, or in the query; whoever the query says it is."""
    made = ticket(closed_house)
    assert (await welcome(closed_house, offered=made))["viewer_id"] == VERA
    assert (await welcome(closed_house, f"?ticket={ticket(closed_house)}"))["viewer_id"] == VERA
    assert (await welcome(closed_house, "?viewer=somebody", ticket(closed_house)))["viewer_id"] == VERA


async def test_a_ticket_opens_a_room_once(empty_store: Store) -> None:
    """On whichever server of the store; who was refused before its use may show it again."""
    async with open_house(empty_store, insecure=False) as one, open_house(empty_store, insecure=False) as other:
        made = ticket(one)
        assert (await turned_away(one, f"?ticket={made}&seq=x"))[0] == 400
        at_once = await asyncio.gather(*(joined(house, made) for house in (one, other) * 5))
        assert sorted(at_once) == [101] + [401] * 9
        assert await turned_away(other, offered=made) == (401, "ticket_used")
        [name] = await empty_store.redis.keys("redrain:ticket:*")
        assert 0 < await empty_store.redis.pttl(name) <= LASTS_MS + 1_000


async def test_a_reusable_ticket_opens_again(empty_store: Store) -> None:
    """A server that was told so notes nothing."""
    async with open_house(empty_store, insecure=False, reusable_tickets=True) as house:
        made = ticket(house)
        for _ in range(2):
            assert (await welcome(house, offered=made))["viewer_id"] == VERA
        assert await empty_store.redis.keys("redrain:ticket:*") == []


async def test_a_revoked_viewer_needs_a_new_ticket(closed_house: House) -> None:
    """Its tokens are worth nothing, whichever welcome they are of; a ticket shown afterwards is."""
    first = await welcome(closed_house, offered=ticket(closed_house))
    second = await welcome(closed_house, f"?resume={first['resume']}")
    await closed_house.gateway.revoke(VERA)
    for told in (first, second):
        assert await turned_away(closed_house, f"?resume={told['resume']}") == (401, "bad_token")
    await asyncio.sleep(0.002)
    anew = await welcome(closed_house, offered=ticket(closed_house))
    assert (await welcome(closed_house, f"?resume={anew['resume']}"))["viewer_id"] == VERA


async def test_who_was_in_comes_back_without_a_ticket(closed_house: House) -> None:
    """The welcome's token is enough from then on."""
    greeting = await welcome(closed_house, offered=ticket(closed_house))
    back = await welcome(closed_house, f"?resume={greeting['resume']}&epoch={greeting['epoch']}&seq={greeting['seq']}")
    assert back["viewer_id"] == VERA
    assert back["resync"] is False


async def test_without_a_ticket_nobody_comes_in(closed_house: House) -> None:
    """A viewer without a ticket is refused, with or without a name, whether the room exists or not."""
    assert await turned_away(closed_house) == (401, "ticket_needed")
    assert await turned_away(closed_house, "?viewer=vera") == (401, "ticket_needed")
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"ws://127.0.0.1:{closed_house.port}/ws/rooms/nowhere?viewer=vera", proxy=None)
    assert refused.value.response.status_code == 401
    assert closed_house.gateway.metrics.refused == 3
    assert closed_house.gateway.metrics.connected == 0


async def test_a_ticket_for_another_room_or_time_is_refused(closed_house: House) -> None:
    """Each with its own word."""
    assert await turned_away(closed_house, offered=ticket(closed_house, RoomId("r2"))) == (403, "other_room")
    old = expired(SEED, PURPOSE, {"sub": VERA, "room": ROOM, "role": "viewer"})
    assert await turned_away(closed_house, offered=old) == (401, "ticket_expired")
    resume = ResumeTokens(Signer(SEED)).mint(Identity(VERA, NOW_MS), ROOM, closed_house.clock.real_ms())
    assert await turned_away(closed_house, offered=resume) == (401, "bad_ticket")
    assert await turned_away(closed_house, f"?resume={ticket(closed_house)}") == (401, "bad_token")


async def test_no_forged_ticket_opens_a_room(closed_house: House) -> None:
    """Other keys, no algorithm, kids that are paths, tampered claims: 401 before the upgrade, each of them."""
    genuine = ticket(closed_house)
    tried = [*forgeries(genuine, SEED, sub="anna"), *with_the_secret(genuine, SEED)]
    for trick, token in tried:
        assert await turned_away(closed_house, f"?ticket={token}") == (401, "bad_ticket"), trick
        assert await turned_away(closed_house, offered=token) == (401, "bad_ticket"), trick
    assert closed_house.gateway.metrics.connected == 0


async def test_a_bad_ticket_is_refused_where_a_name_would_do(house: House) -> None:
    """A viewer that sends a ticket must have a valid one, even on an insecure server."""
    assert await turned_away(house, "?viewer=vera", "a.b.c") == (401, "bad_ticket")
    assert (await welcome(house, offered=ticket(house)))["viewer_id"] == VERA
