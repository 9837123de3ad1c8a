"""Tests of the witness: real stores that lose what was acknowledged, in every way, and stores that lose nothing."""

import asyncio
import logging
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from loadtest.verdict.weigh import Exit
from scripts.commands.accept_loss import run_accept_loss
from server.core.ids import CreatorId
from server.core.packets.claim import ClaimStatus
from server.store import keys
from server.store.allocators.default import DefaultAllocator
from server.store.connection import Durability, Store, StoreUnavailable
from server.store.embedded.folder import APPENDED, MANIFEST, StoreNotStarted
from server.store.embedded.process import EmbeddedStore
from server.store.unavailable import BooksBehind
from server.store.witness import StoreWitness
from server.store.witness_file import WitnessFile
from tests.store.desk import Desk, crowd, grab
from tests.waiting import until_so

INCREMENT = f"{APPENDED}/appendonly.aof.1.incr.aof"


@asynccontextmanager
async def witnessed(
    home: Path, url: str, durability: Durability = Durability.DURABLE
) -> AsyncIterator[tuple[Store, StoreWitness]]:
    """Connect to a store as a server of the home does."""
    store = await Store.connect(url, durability=durability)
    witness = await StoreWitness.over(store, home)
    try:
        yield store, witness
    finally:
        await witness.stop()
        await store.close()


async def _keep_books(home: Path) -> None:
    """Let a creator recharge, and ten viewers claim, with all of it witnessed; a copy has the half of it."""
    running = EmbeddedStore.start(home / "store")
    async with witnessed(home, running.url) as (store, witness):
        desk = await Desk.open(store)
        packet_id = await desk.open_packet([7] * 20)
        await desk.run_claim(packet_id, ["v0", "q"])
        await witness.look()
        shutil.copytree(home / "store" / APPENDED, home / "half")
        for number in range(1, 10):
            await desk.run_claim(packet_id, [f"v{number}", "q"])
        await desk.recharge(1_000)
    running.stop()


@pytest.fixture(scope="module")
def with_books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home with books that end in claims and a recharge."""
    home = tmp_path_factory.mktemp("home")
    asyncio.run(_keep_books(home))
    return home


@pytest.fixture
def home(with_books: Path, tmp_path: Path) -> Path:
    """Return a copy of that home."""
    return Path(shutil.copytree(with_books, tmp_path / "home", ignore=shutil.ignore_patterns("*.sock")))


def _cut(store: Path) -> None:
    os.truncate(store / INCREMENT, (store / INCREMENT).stat().st_size - 2_000)


def _restore_half(store: Path) -> None:
    shutil.rmtree(store / APPENDED)
    shutil.copytree(store.parent / "half", store / APPENDED)


def _restore_another(store: Path) -> None:
    another = store.parent / "another"
    asyncio.run(_keep_books(another))
    shutil.rmtree(store)
    shutil.copytree(another / "store", store, ignore=shutil.ignore_patterns("*.sock"))


LOSSES: dict[str, tuple[Callable[[Path], None], str]] = {
    "an end was cut off": (_cut, r"lost what was acknowledged: c1: after \d+-\d+ up to journal entry \d+-\d+"),
    "its increment is empty": (lambda store: os.truncate(store / INCREMENT, 0), "is empty.*c1: all up to"),
    "an older copy was restored": (_restore_half, r"lost what was acknowledged: c1: after \d+-\d+ up to"),
    "its books were removed": (lambda store: shutil.rmtree(store / APPENDED), "is empty.*c1: all up to"),
    "its folder was removed": (shutil.rmtree, "is empty.*c1: all up to"),
    "another was restored": (_restore_another, r"another one \(epoch \w+\) than this home knows \(epoch \w+\)"),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_store_that_lost_something_is_not_gone_on_with(
    home: Path, loss: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing moves, not even a share, the log says what is missing, and it is as before once it was accepted."""
    lose, said = LOSSES[loss]
    lose(home / "store")
    asyncio.run(_finds_a_loss(home, said, caplog))


async def _finds_a_loss(home: Path, said: str, caplog: pytest.LogCaptureFixture) -> None:
    running = EmbeddedStore.start(home / "store")
    async with witnessed(home, running.url) as (store, witness):
        with pytest.raises(BooksBehind, match=said):
            await Desk.open(store)
        (warned,) = [each for each in caplog.records if each.levelno == logging.WARNING]
        assert warned.getMessage().startswith("no money moves and no window opens: the store ")
        assert warned.getMessage().endswith(f"redrain store accept-loss --home {home}")
        assert not await store.redis.exists(keys.room("c1", "room-c1")) or "empty" not in said  # type: ignore[arg-type]

        assert await asyncio.to_thread(run_accept_loss, home, None, accept=False) == Exit.ENVIRONMENT
        await witness.look()
        assert store.gate.shut
        assert await asyncio.to_thread(run_accept_loss, home, None, accept=True) == Exit.PASS
        await witness.look()
        assert not store.gate.shut
        assert await asyncio.to_thread(run_accept_loss, home, None, accept=False) == Exit.PASS
        await (await Desk.open(store, "c2")).recharge(1)
    running.stop()
    running = EmbeddedStore.start(home / "store")
    async with witnessed(home, running.url) as (store, _):
        assert not store.gate.shut
    running.stop()


def test_books_whose_manifest_is_gone_are_not_even_started(home: Path) -> None:
    """The store would begin beside them; who moves them away starts one that is empty, which is found out."""
    (home / "store" / APPENDED / MANIFEST).unlink()
    with pytest.raises(StoreNotStarted, match=r"without appendonly\.aof\.manifest"):
        EmbeddedStore.start(home / "store")


async def test_a_store_that_is_emptied_while_it_runs_is_noticed(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With nothing under way, within a second; what is remembered counts for nothing, and a new home adopts it."""
    running = EmbeddedStore.start(home / "store")
    async with witnessed(home, running.url) as (store, _):
        desk = await Desk.open(store)
        allocator = DefaultAllocator(store, desk.clock, lambda: True)
        await store.redis.flushall()
        await until_so(lambda: bool(store.gate.shut))
        with pytest.raises(BooksBehind, match="is empty"):
            await desk.recharge(1)
        answers = await allocator.claim("c1.p1", desk.room.room_id, crowd(2))  # type: ignore[arg-type]
        assert [answer.status for answer in answers] == [ClaimStatus.UNAVAILABLE] * 2
        with pytest.raises(BooksBehind):
            await desk.context().view("c1.p1")  # type: ignore[arg-type]
        caplog.clear()
        async with witnessed(home.parent / "new", running.url) as (other, _):
            assert not other.gate.shut
        assert not caplog.records  # there was nothing to adopt
    running.stop()


async def test_a_store_that_restarts_with_less_gets_nothing_to_do(home: Path) -> None:
    """The first command of the first new connection is held back, although every error is forgotten by then."""
    running = EmbeddedStore.start(home / "store")
    async with witnessed(home, running.url) as (store, _):
        desk = await Desk.open(store)
        before = running.pid
        supervising = psutil.Process(before).parent()
        assert supervising is not None
        supervising.suspend()
        os.kill(before, signal.SIGKILL)
        await until_so(lambda: psutil.Process(before).status() == psutil.STATUS_ZOMBIE)
        _cut(home / "store")
        supervising.resume()
        await until_so(lambda: running.pid != before)
        refused = None
        while not isinstance(refused, BooksBehind):
            with pytest.raises(StoreUnavailable) as caught:
                await desk.recharge(5)
            refused = caught.value
        assert not [entry for entry in await desk.journal("recharge") if entry["amount_fen"] == "5"]
    running.stop()


@pytest.mark.parametrize("durability", [Durability.RELAXED, Durability.DURABLE])
async def test_a_kill_of_the_store_raises_no_alarm(
    tmp_path: Path, durability: Durability, caplog: pytest.LogCaptureFixture
) -> None:
    """All that was answered is there again, and so is every mark, in whichever moment the store was killed."""
    running = EmbeddedStore.start(tmp_path / "store", durability=durability)
    async with witnessed(tmp_path, running.url, durability) as (store, witness):
        desk = await Desk.open(store)
        for kill in range(4):
            done = [asyncio.create_task(desk.recharge(1)) for _ in range(30)]
            await asyncio.sleep(0.03 * kill)
            os.kill(running.pid, signal.SIGKILL)
            await asyncio.gather(*done, return_exceptions=True)
            while True:
                try:
                    await desk.recharge(1)
                    await witness.look()
                    break
                except StoreUnavailable:
                    assert not store.gate.shut
        known = WitnessFile(tmp_path).read()
        assert known is not None
        last: Any = await store.redis.xrevrange(keys.journal(desk.creator_id), count=1)
        assert known.marks[desk.creator_id].journal == last[0][0].decode()
    assert "no money moves" not in caplog.text
    running.stop()


async def test_several_servers_witness_one_store(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A server that was killed before its mark was written only lags, and a new home adopts what it finds."""
    running = EmbeddedStore.start(tmp_path / "store")
    async with witnessed(tmp_path, running.url) as (store, witness):
        desk = await Desk.open(store)
        packet_id = await desk.open_packet([5] * 4)
        await desk.run_claim(packet_id, ["ann", "q"])
        await witness.look()
        assert caplog.text == ""
        async with witnessed(tmp_path / "second", running.url) as (second, its):
            assert f"{tmp_path}/second/witness.jsonl knew no store: it adopts the one it finds" in caplog.text
            allocator = DefaultAllocator(second, desk.clock, lambda: True)
            claimed = await allocator.claim(packet_id, desk.room.room_id, [grab("ben")])
            assert claimed[0].status is ClaimStatus.GRANTED
            await its.look()
        known, newer = (WitnessFile(each).read() for each in (tmp_path, tmp_path / "second"))
        assert known is not None
        assert newer is not None
        assert (known.epoch, known.marks["c1"].given) == (newer.epoch, 1)  # type: ignore[index]
        assert newer.marks["c1"].given == 2  # type: ignore[index]
        await witness.compare()
        assert not store.gate.shut
        await store.redis.hset(keys.packet(packet_id), "given", "0")  # not the journal alone is compared
        await witness.compare()
        assert "claims of packet c1.p1, which had given 1 and has 0" in store.gate.shut
    running.stop()


async def test_a_store_that_has_moved_is_known_by_its_epoch(home: Path) -> None:
    """At another address it is held against what the home knew of it, and it is adopted if it lacks nothing."""
    running = EmbeddedStore.start(home / "store")
    store = await Store.connect(running.url)
    moved = await StoreWitness.over(store, home, running.url)
    assert not store.gate.shut
    await moved.stop()
    WitnessFile(home, running.url).path.unlink()
    await store.redis.delete(keys.journal(CreatorId("c1")))
    moved = await StoreWitness.over(store, home, running.url)
    assert "c1: all up to journal entry" in store.gate.shut
    await moved.stop()
    await store.close()
    running.stop()


async def test_nothing_acknowledged_is_nothing_to_lose(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A store that was emptied before anything moved is the home's all the same."""
    running = EmbeddedStore.start(tmp_path / "store")
    async with witnessed(tmp_path, running.url) as (store, witness):
        await store.redis.flushall()
        await witness.look()
        assert not store.gate.shut
        await (await Desk.open(store)).recharge(5)
        await witness.look()
    assert caplog.text == ""
    running.stop()
