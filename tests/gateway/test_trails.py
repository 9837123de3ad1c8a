"""Order events reach a buyer over real sockets, on all its devices and at every server."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from server.core.ids import OrderId, ViewerId
from server.core.orders.trail import ServiceMessage, TrailStep
from server.gateway.fanout import Write
from server.store import keys
from server.store.connection import Durability, Store
from server.store.embedded.process import EmbeddedStore
from tests.gateway.house import Guest, House, open_house
from tests.waiting import until_so


def message(step: TrailStep, viewer: str = "ann") -> ServiceMessage:
    return ServiceMessage(ViewerId(viewer), OrderId("o1"), step, 1_700_000_000_000)


@dataclass
class Gone:
    """A connection that was closed without our being told yet."""

    write: Write


def gone(_: bytes) -> None:
    raise RuntimeError("the handler is closed")


async def all_ears(store: Store, processes: int) -> None:
    """Wait until so many processes listen to what is news in trails."""

    async def so_many() -> bool:
        return (await store.redis.pubsub_numsub(keys.TRAILS))[0][1] >= processes

    await until_so(so_many)


async def heard_until(guest: Guest, last: TrailStep) -> list[str]:
    """Return the steps a buyer is told up to *last*."""
    told: list[str] = []
    while not told or told[-1] != last:
        told.append((await guest.next("trail"))["event"])
    return told


@pytest.mark.rule("LT-3")
async def test_the_buyer_is_told_and_nobody_else(house: House) -> None:
    """The message has its fixed shape; another viewer of the room never receives it."""
    ann, bob = await house.join("ann"), await house.join("bob")
    await all_ears(house.store, 1)
    await house.gateway.trails.publish(message(TrailStep.PACKED))
    assert await ann.next("trail") == {
        "type": "trail",
        "order_id": "o1",
        "event": "packed",
        "label": "打包已完成",
        "text": "您的商品已打包完成",
        "occurred_at_ms": 1_700_000_000_000,
    }
    await house.gateway.trails.publish(message(TrailStep.PAID, "bob"))
    assert await heard_until(bob, TrailStep.PAID) == ["paid"]
    assert house.gateway.metrics.trail_messages == 2


async def test_every_device_is_told_until_it_leaves(house: House) -> None:
    """Two devices both receive each message once; connections that left are released."""
    phone, tablet = await house.join("ann"), await house.join("ann")
    await all_ears(house.store, 1)
    await house.gateway.trails.publish(message(TrailStep.PAID))
    for device in (phone, tablet):
        assert await heard_until(device, TrailStep.PAID) == ["paid"]
    await phone.leave()
    await until_so(lambda: house.gateway.metrics.connected == 1)
    await house.gateway.trails.publish(message(TrailStep.ACCEPTED))
    assert await heard_until(tablet, TrailStep.ACCEPTED) == ["accepted"]
    await tablet.leave()
    await until_so(lambda: house.gateway.metrics.connected == 0)
    assert house.gateway.trails._connections == {}
    assert house.gateway.metrics.trail_messages == 3


async def test_a_buyer_is_found_at_the_other_server(empty_store: Store) -> None:
    """Whichever process publishes, each connection of the buyer receives the message once."""
    async with open_house(empty_store) as first, open_house(empty_store) as second:
        here, there = await first.join("ann"), await second.join("ann")
        await all_ears(empty_store, 2)
        await first.gateway.trails.publish(message(TrailStep.PAID))
        await second.gateway.trails.publish(message(TrailStep.ACCEPTED))
        for guest in (here, there):
            assert await heard_until(guest, TrailStep.ACCEPTED) == ["paid", "accepted"]


async def test_a_connection_that_is_being_cut_off_spoils_nothing(house: House) -> None:
    """The buyer's other device still receives the message."""
    house.gateway.trails.join(ViewerId("ann"), Gone(gone))
    ann = await house.join("ann")
    await all_ears(house.store, 1)
    await house.gateway.trails.publish(message(TrailStep.PAID))
    assert await heard_until(ann, TrailStep.PAID) == ["paid"]
    assert house.gateway.metrics.trail_messages == 1


async def test_without_the_store_nothing_is_told_and_nothing_breaks(tmp_path: Path) -> None:
    """A message that the store does not take is lost and counted; afterwards the next one arrives."""
    running = EmbeddedStore.start(tmp_path, durability=Durability.RELAXED)
    try:
        store = await Store.connect(running.url, durability=Durability.RELAXED)
        async with open_house(store) as house:
            ann = await house.join("ann")
            await all_ears(store, 1)
            running.stop()
            before = house.gateway.metrics.store_unavailable
            await house.gateway.trails.publish(message(TrailStep.PAID))
            assert house.gateway.metrics.store_unavailable > before
            running = EmbeddedStore.start(tmp_path, durability=Durability.RELAXED)
            await all_ears(store, 1)
            await house.gateway.trails.publish(message(TrailStep.ACCEPTED))
            assert await heard_until(ann, TrailStep.ACCEPTED) == ["accepted"]
        await store.close()
    finally:
        running.stop()
