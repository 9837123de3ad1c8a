"""The sweeper: settles what is due, tells of it once, and outlives what fails."""

import asyncio
from pathlib import Path

import pytest

from server.core.ids import PLATFORM, PacketId
from server.core.packets.packet import PacketState
from server.core.rulebooks.platforms import DOUYIN
from server.store import keys
from server.store.connection import Durability, Store
from server.store.embedded.process import EmbeddedStore
from server.store.packets import STAGING_AGE_MAX_MS
from server.sweeper import Sweeper
from tests.commands.ground import Host, context_of
from tests.store.aged import grow_old, retention_of, settled_rain
from tests.store.desk import CLAIM_END_AT_MS, Desk
from tests.store.shop import HORIZON_MS, LI, START_MS, Shop


class Herald(Host):
    """A host that can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.news: asyncio.Queue[PacketId] = asyncio.Queue()

    async def look_at(self, packet_id: PacketId) -> None:
        self.news.put_nowait(packet_id)


@pytest.fixture
async def desk(store: Store) -> Desk:
    return await Desk.open(store)


@pytest.mark.rule("DY-REV-2")
async def test_what_is_due_is_settled_and_told_once(desk: Desk) -> None:
    """Of an open, a due and a voided packet the due one is swept, and a second look finds nothing."""
    host = Host()
    sweeper = Sweeper(context_of(desk.store, desk.clock, host=host))
    due, voided = await desk.open_packet([5, 6]), await desk.open_packet([7])
    await desk.packets.void(voided, transfer_id="v", lead_ms=None)
    await desk.at(CLAIM_END_AT_MS - 1)
    assert await sweeper.look() == []
    await desk.at(CLAIM_END_AT_MS)

    assert [due] == await sweeper.look()
    assert await sweeper.look() == []

    assert [due] == host.looked_at
    assert (await desk.packets.get(due)).state == PacketState.SETTLED
    assert (await desk.packets.get(voided)).state == PacketState.VOIDED


@pytest.mark.rule("DY-REV-2")
async def test_two_sweepers_return_the_money_once(desk: Desk) -> None:
    """Any number of processes may sweep; the creator gets each fen back once."""
    for _ in range(10):
        await desk.open_packet([5, 6])
    await desk.at(CLAIM_END_AT_MS)
    sweepers = [Sweeper(context_of(desk.store, desk.clock)) for _ in range(3)]

    await asyncio.gather(*(sweeper.look() for sweeper in sweepers))

    funds = await desk.wallet.funds(desk.creator_id)
    assert (funds.available_fen, funds.returned_fen) == (110, 110)
    assert len(await desk.journal("sweep")) == 10


async def test_a_process_whose_clock_is_ahead_sweeps_nothing_early(desk: Desk) -> None:
    """The script looks at the store's clock, whatever the process thinks."""
    packet_id = await desk.open_packet([5])
    await desk.at(CLAIM_END_AT_MS)
    await desk.store_at(CLAIM_END_AT_MS - 1)
    assert [packet_id] == await desk.packets.due(desk.creator_id)

    assert await Sweeper(context_of(desk.store, desk.clock)).look() == []
    assert (await desk.packets.get(packet_id)).state == PacketState.LAUNCHED


async def test_it_runs_until_it_is_stopped(desk: Desk) -> None:
    """Started, it sweeps what becomes due; stopped, it does no more."""
    host = Herald()
    sweeper = Sweeper(context_of(desk.store, desk.clock, host=host))
    packet_id = await desk.open_packet([5])
    await sweeper.start()

    await desk.at(CLAIM_END_AT_MS)
    assert packet_id == await host.news.get()
    await sweeper.stop()

    later = await desk.open_packet([5])
    await desk.at(CLAIM_END_AT_MS)
    assert (await desk.packets.get(later)).state == PacketState.LAUNCHED


async def test_a_packet_that_cannot_be_swept_stops_no_other(desk: Desk) -> None:
    """A broken packet is reported once; the others are settled."""
    complaints: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["message"]))
    broken, sound = await desk.open_packet([5]), await desk.open_packet([5])
    await desk.store.redis.hset(keys.packet(broken), "given_fen", "many")
    await desk.at(CLAIM_END_AT_MS)
    sweeper = Sweeper(context_of(desk.store, desk.clock))

    assert [sound] == await sweeper.look()
    assert await sweeper.look() == []
    assert [f"{broken} cannot be swept"] == complaints


async def test_abandoned_shares_are_cleared(desk: Desk) -> None:
    """Shares on their way in for ten real minutes are dropped."""
    names = [keys.staging(PacketId("c1.p")), keys.staged(PacketId("c1.p")), keys.stagings(desk.creator_id)]
    await desk.store.run("stage", names, ["c1.p", "c", 2, 1, 9, 0, 5])
    await desk.store.redis.zincrby(names[2], -STAGING_AGE_MAX_MS, "c1.p")

    await Sweeper(context_of(desk.store, desk.clock)).look()

    assert await desk.store.redis.exists(*names) == 0


async def test_it_outlives_a_store_that_goes_away(tmp_path: Path) -> None:
    """While the store is gone nothing is swept; when it is back the sweeper goes on by itself."""
    running = EmbeddedStore.start(tmp_path, durability=Durability.DURABLE)
    store = await Store.connect(running.url)
    desk = await Desk.open(store)
    packet_id = await desk.open_packet([5])
    host = Herald()
    sweeper = Sweeper(context_of(store, desk.clock, host=host))
    await desk.at(CLAIM_END_AT_MS - 1)
    await sweeper.start()
    running.stop()
    await asyncio.sleep(0.5)  # some rounds
    running = EmbeddedStore.start(tmp_path, durability=Durability.DURABLE)
    await desk.at(CLAIM_END_AT_MS)

    assert packet_id == await host.news.get()
    await sweeper.stop()
    await store.close()
    running.stop()


async def test_it_retires_what_is_long_over_besides(desk: Desk, tmp_path: Path) -> None:
    """With a retention the sweeper gives it turns, and a fault of it is heard while sweeping goes on."""
    heard: asyncio.Queue[str] = asyncio.Queue()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.put_nowait(context["message"]))
    old = await settled_rain(desk, "ann")
    await grow_old(desk)
    host = Herald()
    sweeper = Sweeper(context_of(desk.store, desk.clock, host=host), retention_of(desk, tmp_path))
    await sweeper.start()
    await sweeper.stop()  # not before the turn that is under way has ended
    assert await desk.store.redis.exists(keys.packet(old)) == 0
    assert heard.empty()

    (tmp_path / "archive" / "archive.lock").unlink()
    (tmp_path / "archive" / "archive.lock").mkdir()
    await sweeper.start()
    assert (await heard.get()).startswith("not everything can be retired")
    packet_id = await desk.open_packet([5])
    await desk.at(CLAIM_END_AT_MS)
    assert packet_id == await host.news.get()
    await sweeper.stop()


async def test_orders_end_by_themselves(store: Store) -> None:
    """One that nobody pays is cancelled, a paid one is settled, and both lose nothing (DY-CAN-1, AMB-15)."""
    shop = await Shop.open(store)
    sweeper = Sweeper(shop.orders.context)
    unpaid = (await shop.submit(await shop.asset(500, use_end_at_ms=None), key="unpaid")).order_id
    paid = (await shop.submit(await shop.asset(700, use_end_at_ms=None, of=PLATFORM), key="paid")).order_id
    await shop.orders.pay(paid, "p")
    await shop.at(START_MS + DOUYIN.order_unpaid_max_ms)
    await sweeper.look()
    assert [each.order.state for each in await shop.orders.list(LI)] == ["cancelled", "paid"]
    await shop.at(START_MS + HORIZON_MS)
    await sweeper.look()
    assert {each.order_id: each.order.state for each in await shop.orders.list(LI)} == {
        unpaid: "cancelled",
        paid: "final",
    }
    assert await shop.under_way() == {}


async def test_an_order_that_cannot_end_stops_no_other(store: Store) -> None:
    """A broken order is reported once; the others are processed."""
    complaints: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context["message"]))
    shop = await Shop.open(store)
    broken = (await shop.submit(await shop.asset(500, use_end_at_ms=None), key="broken")).order_id
    asset = await shop.asset(700, use_end_at_ms=None)
    await shop.submit(asset, key="other")
    packet_id = PacketId((await shop.orders.get(broken)).assets[0].asset_id.rpartition(":")[0])
    await store.redis.hset(keys.packet(packet_id), "locked", "-5")
    await shop.at(START_MS + DOUYIN.order_unpaid_max_ms)
    sweeper = Sweeper(shop.orders.context)
    for _ in range(2):
        await sweeper.look()
    assert complaints == [f"{broken} cannot be brought up to date"]
    assert await shop.state(asset) == ""
