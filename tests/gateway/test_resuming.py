"""Reconnecting: by token, to another process, after more facts than a process keeps, and before it has read them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from server.gateway.limits import PRODUCTION, Limits
from server.store.connection import Durability, Store
from server.store.embedded.process import EmbeddedStore
from tests.gateway.house import House, open_house
from tests.waiting import until_so


@asynccontextmanager
async def two_houses(embedded: EmbeddedStore, limits: Limits = PRODUCTION) -> AsyncIterator[tuple[House, House]]:
    """Open two processes' worth of server on one store."""
    first = await Store.connect(embedded.url, durability=Durability.RELAXED)
    second = await Store.connect(embedded.url, durability=Durability.RELAXED)
    await first.redis.flushall()
    try:
        async with open_house(first, limits) as one, open_house(second, limits) as other:
            yield one, other
    finally:
        await second.close()
        await first.close()


async def tell(house: House, packets: int) -> None:
    """Have each of so many packets announced and opened."""
    for _ in range(packets):
        await house.packet(lead_ms=0)

    async def told() -> bool:
        return (await house.rooms.list())[0].seq >= 2 * packets

    await until_so(told)


async def test_a_token_brings_a_viewer_back_to_another_process(embedded: EmbeddedStore) -> None:
    """A token replaces the name, and missed facts come once, in order, and with the same bytes."""
    async with two_houses(embedded) as (one, other):
        guest, stayed = await one.join("v1"), await one.join("v2")
        await guest.leave()
        packet_id = await one.packet(lead_ms=0)
        while (await stayed.next("warmup", "open"))["type"] != "open":
            pass
        welcome = guest.welcome
        query = f"resume={welcome['resume']}&epoch={welcome['epoch']}&seq={welcome['seq']}"
        url = other.url("nobody").replace("viewer=nobody", query)
        async with connect(url, proxy=None) as back:
            told = [await back.recv() for _ in range(3)]
        assert '"viewer_id":"v1"' in str(told[0])
        assert '"resync":false' in str(told[0])
        assert told[1:] == stayed.facts()[:2]
        assert str(packet_id) in str(told[1])


async def test_a_bad_token_is_refused(house: House) -> None:
    """A token that is not ours is answered with 401, whatever name stands beside it."""
    with pytest.raises(InvalidStatus) as refused:
        await connect(house.url("v1", "&resume=abc"), proxy=None)
    assert refused.value.response.status_code == 401
    assert b"bad_token" in refused.value.response.body


async def test_what_a_process_has_forgotten_is_read_from_the_store(embedded: EmbeddedStore) -> None:
    """The feed is the history of every process, however little it keeps in memory."""
    async with two_houses(embedded, replace(PRODUCTION, resume_facts_max=2)) as (one, other):
        guest = await one.join("v1")
        await guest.leave()
        await tell(one, 4)
        live = other.gateway.room(other.room.room_id)
        assert live is not None
        epoch = guest.welcome["epoch"]
        await until_so(lambda: live.remembers(epoch, 7))
        assert not live.remembers(epoch, 0)
        back = await other.join("v1", f"&epoch={epoch}&seq=0")
        assert back.welcome["resync"] is False
        seqs = [(await back.next("warmup", "open"))["seq"] for _ in range(back.welcome["seq"])]
        assert seqs[0] == 1
        assert len(seqs) >= 8
        assert all(after == before + 1 for before, after in pairwise(seqs))


async def test_what_is_more_than_a_viewer_may_be_behind_is_not_told_one_by_one(embedded: EmbeddedStore) -> None:
    """A viewer that missed too much gets ``resync`` instead of being disconnected for its backlog."""
    async with two_houses(embedded, replace(PRODUCTION, outbox_bytes_max=500)) as (one, _):
        guest = await one.join("v1")
        await guest.leave()
        await tell(one, 3)
        back = await one.join("v1", f"&epoch={guest.welcome['epoch']}&seq=0")
        assert back.welcome["resync"] is True


async def test_a_process_that_knows_less_than_the_viewer_reads_on_first(embedded: EmbeddedStore) -> None:
    """Facts that another process has published already are not sent again."""
    async with two_houses(embedded) as (one, other):
        live = other.gateway.room(other.room.room_id)
        assert live is not None
        guest = await one.join("v1")
        epoch = guest.welcome["epoch"]
        await other.follower.stop()
        await tell(one, 1)
        assert not live.remembers(epoch, 2)
        await other.follower.start()
        back = await other.join("v1", f"&epoch={epoch}&seq=2")
        assert (back.welcome["resync"], back.welcome["seq"]) == (False, 2)


async def test_a_number_that_nobody_has_told_means_to_start_afresh(house: House) -> None:
    """A viewer cannot know more than the store."""
    guest = await house.join("v1")
    back = await house.join("v2", f"&epoch={guest.welcome['epoch']}&seq=99")
    assert back.welcome["resync"] is True
