"""
The contract suite for allocators, which users can run on their own class; it needs only pytest.

    pytest -p loadtest.contracts.options --pyargs loadtest.contracts.allocator --allocator package.module:Class

It starts its own store with a fixed room clock, so that the window's edges are tested to the millisecond.
``--allocator`` may be given several times, and also takes the names of built-in allocators.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import pytest

from server.core.ids import CreatorId, PacketId, RequestId, RoomId, ViewerId, packet_id_of
from server.core.money.account import FundProduct
from server.core.money.channel import Charge
from server.core.packets.claim import Claim, ClaimStatus, Grab
from server.core.packets.packet import Denomination, Schedule, Surface, Terms
from server.core.packets.split import commitment
from server.store import keys
from server.store.allocators.context import AllocatorContext
from server.store.allocators.loading import BadAllocator
from server.store.allocators.port import Allocator
from server.store.allocators.registry import AllocatorEntry, entry_of
from server.store.clock import StoreClock
from server.store.connection import Durability, Store
from server.store.embedded.process import EmbeddedStore
from server.store.packets import Packets
from server.store.rooms import RoomRecord, Rooms
from server.store.wallet import Wallet

NOW_MS = 1_700_000_000_000
OPENS_MS, ENDS_MS = NOW_MS + 60_000, NOW_MS + 120_000
CREATOR, ROOM = CreatorId("anna"), RoomId("anna-live")
OTHER_ROOM = RoomId("ben-live")
S = ClaimStatus


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each case on each allocator. Raises UsageError if a name is not an allocator."""
    if "entry" not in metafunc.fixturenames:
        return
    names = metafunc.config.getoption("--allocator")
    if not names:
        raise pytest.UsageError("--allocator is missing: give --allocator package.module:Class")
    try:
        entries = [entry_of(name, Path.cwd()) for name in names]
    except BadAllocator as bad:
        raise pytest.UsageError(f"allocator: {bad}") from None
    metafunc.parametrize("entry", entries, ids=names)


@pytest.fixture(scope="module")
def contract_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a store for all cases, and give its URL."""
    running = EmbeddedStore.start(tmp_path_factory.mktemp("contract"), durability=Durability.NONE)
    yield running.url
    running.stop()


@dataclass
class CaseStage:
    """A creator with a room, and two instances of the allocator, as two processes of a server have them."""

    store: Store
    clock: StoreClock
    room: RoomRecord
    name: str
    entry: AllocatorEntry
    one: Allocator
    other: Allocator

    def __post_init__(self) -> None:
        self.packets = Packets(self.store, self.clock)
        self._numbers = count()

    async def at(self, room_ms: int) -> None:
        """Set the room time to *room_ms*, for the store and for both processes."""
        self.clock.record = replace(self.clock.record, origin_ms=room_ms)
        await self.store.redis.hset(keys.clock_of(CREATOR), "origin_ms", str(room_ms))

    async def packet(self, shares: Sequence[int]) -> PacketId:
        """Launch a packet of these shares and move to its opening; both allocators have observed it."""
        await self.at(NOW_MS)
        number = next(self._numbers)
        total_fen = sum(shares)
        await Wallet(self.store, self.clock).credit(
            CREATOR,
            platform="lab",
            channel="bank",
            product=FundProduct.RED_PACKET,
            amount_fen=total_fen,
            charge=Charge(total_fen, 0),
            transfer_id=f"r{number}",
        )
        terms = Terms(Denomination.RANDOM, len(shares), total_fen, min(shares), max(shares))
        made = await self.packets.create(
            packet_id=packet_id_of(CREATOR, f"p{number}"),
            name="rain",
            platform="lab",
            terms=terms,
            allocator=self.name,
            capabilities=self.entry.capabilities,
            transfer_id=f"c{number}",
            shares=shares,
            seed=bytes(32),
            commitment=commitment(terms, bytes(32)),
        )
        seen, _ = await self.packets.launches(CREATOR)
        schedule = Schedule(NOW_MS, OPENS_MS, ENDS_MS)
        packet = await self.packets.launch(
            made.packet_id, room=self.room, schedule=schedule, surface=Surface.POPUP, seen=seen
        )
        for allocator in (self.one, self.other):
            allocator.observe(packet)
        await self.at(OPENS_MS)
        return packet.packet_id

    async def statuses(self, packet_id: PacketId, *grabs: Grab) -> list[ClaimStatus]:
        """Send one grab after the other and return the statuses."""
        return [(await self.one.claim(packet_id, ROOM, [grab]))[0].status for grab in grabs]

    async def check_books(self, packet_id: PacketId, claims: Sequence[Claim], shares: Sequence[int]) -> None:
        """Compare the claims returned to viewers, and the shares, with the books."""
        told = {claim.viewer_id: claim.share for claim in claims if claim.share is not None}
        booked = await self.packets.claims(packet_id)
        assert told == booked, "the books differ from the claims returned to viewers"
        held = sorted((share.index, share.amount_fen) for share in booked.values())
        assert held == list(enumerate(shares))[: len(held)], "claims are not the packet's shares, each once, in order"
        counts = await self.packets.counts(packet_id)
        assert (counts.given, counts.given_fen) == (len(held), sum(fen for _, fen in held)), "the counters are wrong"


def tap(viewer: str, request: str = "q") -> Grab:
    """Return a viewer's grab."""
    return Grab(ViewerId(viewer), RequestId(request))


def crowd(size: int) -> list[Grab]:
    """Return the grabs of so many viewers."""
    return [tap(f"v{n}", f"q{n}") for n in range(size)]


@pytest.fixture
def on_stage(contract_store: str, entry: AllocatorEntry) -> Callable[[Callable[[CaseStage], Awaitable[None]]], None]:
    """Return a function that runs a case on an empty store and then closes the allocators."""

    async def play(case: Callable[[CaseStage], Awaitable[None]]) -> None:
        async with _stage(contract_store, entry) as stage:
            await case(stage)

    return lambda case: asyncio.run(play(case))


@asynccontextmanager
async def _stage(url: str, entry: AllocatorEntry) -> AsyncIterator[CaseStage]:
    store = await Store.connect(url, durability=Durability.NONE)
    await store.redis.flushall()
    clock = await StoreClock.open(store, speed=0, origin_ms=NOW_MS)
    room = await Rooms(store, clock).create(ROOM, CREATOR, "a room")
    contexts = [AllocatorContext(store, clock, lambda: True) for _ in range(2)]
    one, other = (entry.make(context) for context in contexts)
    for allocator in (one, other):
        await allocator.open()
    try:
        yield CaseStage(store, clock, room, entry.name, entry, one, other)
    finally:
        for allocator in (one, other):
            await allocator.close()
        for context in contexts:
            await context.close()
        await store.close()


Case = Callable[[Callable[[CaseStage], Awaitable[None]]], None]


def test_the_same_tap_hears_the_same(on_stage: Case) -> None:
    """A grab sent again gets the same claim; another grab of the same viewer repeats its share."""

    async def case(stage: CaseStage) -> None:
        packet_id = await stage.packet([5, 6, 7])
        [won] = await stage.one.claim(packet_id, ROOM, [tap("ann", "q1")])
        assert won.status is S.GRANTED
        for allocator in (stage.one, stage.other):
            assert await allocator.claim(packet_id, ROOM, [tap("ann", "q1")]) == [won]
            [again] = await allocator.claim(packet_id, ROOM, [tap("ann", "q2")])
            assert (again.status, again.share) == (S.REPEATED, won.share)
        await stage.check_books(packet_id, [won], [5, 6, 7])

    on_stage(case)


def test_a_winner_is_never_told_that_it_lost(on_stage: Case) -> None:
    """A winner's repeat returns its share, even when all shares are given or the window is over."""

    async def case(stage: CaseStage) -> None:
        packet_id = await stage.packet([5])
        assert await stage.statuses(packet_id, tap("ann", "q1"), tap("bob")) == [S.GRANTED, S.EXHAUSTED]
        assert await stage.statuses(packet_id, tap("ann", "q1"), tap("ann", "q2")) == [S.GRANTED, S.REPEATED]
        await stage.at(ENDS_MS)
        assert await stage.statuses(packet_id, tap("ann", "q1"), tap("ann", "q2")) == [S.GRANTED, S.REPEATED]

    on_stage(case)


def test_the_window_opens_and_ends_to_the_millisecond(on_stage: Case) -> None:
    """One millisecond before the opening is too early, the end itself is too late."""

    async def case(stage: CaseStage) -> None:
        packet_id = await stage.packet([5, 6, 7])
        told = []
        for number, at_ms in enumerate((OPENS_MS - 1, OPENS_MS, ENDS_MS - 1, ENDS_MS)):
            await stage.at(at_ms)
            told += await stage.statuses(packet_id, tap(f"v{number}"))
        assert told == [S.TOO_EARLY, S.GRANTED, S.GRANTED, S.TOO_LATE]

    on_stage(case)


def test_what_cannot_be_grabbed_is_refused(on_stage: Case) -> None:
    """Grabs of an unknown packet and of a voided one are refused, whatever the allocator has cached."""

    async def case(stage: CaseStage) -> None:
        assert await stage.statuses(PacketId("anna.none"), tap("ann")) == [S.NOT_FOUND]
        packet_id = await stage.packet([5])
        await stage.at(OPENS_MS - 1)
        assert await stage.statuses(packet_id, tap("ann")) == [S.TOO_EARLY]
        await stage.packets.void(packet_id, transfer_id="v", lead_ms=None)
        stage.one.observe(await stage.packets.get(packet_id))
        stage.one.forget(packet_id)
        assert await stage.statuses(packet_id, tap("ann")) == [S.VOIDED]

    on_stage(case)


def test_a_packet_is_not_found_in_another_room(on_stage: Case) -> None:
    """Grabs from another room than the packet's are not found and get nothing: before, in and after the window."""

    async def case(stage: CaseStage) -> None:
        packet_id = await stage.packet([5, 6])
        elsewhere = []
        for at_ms in (OPENS_MS - 1, OPENS_MS, OPENS_MS + 1, ENDS_MS):
            await stage.at(at_ms)
            if at_ms == OPENS_MS + 1:
                told = await stage.statuses(packet_id, tap("ann", "q1"), tap("bob", "q2"), tap("cat"))
                assert told == [S.GRANTED, S.GRANTED, S.EXHAUSTED]
            for allocator in (stage.one, stage.other):
                elsewhere += await allocator.claim(
                    packet_id, OTHER_ROOM, [tap("ann", "q1"), tap("ann", "q9"), tap("dan")]
                )
        assert {(claim.status, claim.share) for claim in elsewhere} == {(S.NOT_FOUND, None)}
        assert (await stage.packets.claims(packet_id)).keys() == {"ann", "bob"}

    on_stage(case)


def test_the_shares_are_drained_one_by_one(on_stage: Case) -> None:
    """All shares are given in order, to the last fen, and none beyond them."""

    async def case(stage: CaseStage) -> None:
        shares = [1 + n for n in range(30)]
        packet_id = await stage.packet(shares)
        claims = [(await stage.one.claim(packet_id, ROOM, [one]))[0] for one in crowd(40)]
        assert [claim.status for claim in claims] == [S.GRANTED] * 30 + [S.EXHAUSTED] * 10
        await stage.check_books(packet_id, claims, shares)
        assert len(await stage.packets.claims(packet_id)) == 30

    on_stage(case)


def test_what_nobody_claims_goes_back(on_stage: Case) -> None:
    """When the packet is settled, exactly the unclaimed shares return to the creator."""

    async def case(stage: CaseStage) -> None:
        packet_id = await stage.packet([5, 6, 7, 8])
        assert await stage.statuses(packet_id, tap("ann"), tap("bob")) == [S.GRANTED, S.GRANTED]
        await stage.at(ENDS_MS)
        counts = await stage.packets.sweep(packet_id)
        assert counts is not None
        assert (counts.given_fen, counts.remaining, counts.returned, counts.returned_fen) == (11, 0, 2, 15)
        assert await stage.statuses(packet_id, tap("cat")) == [S.TOO_LATE]

    on_stage(case)


@pytest.mark.parametrize("size", [1, 500, 501])
def test_a_batch_of_any_size_is_answered(on_stage: Case, size: int) -> None:
    """In batches of one, of a script's limit, and above it, each share is given once and each grab is answered."""

    async def case(stage: CaseStage) -> None:
        shares = [1 + n for n in range(min(size, 100))]
        packet_id = await stage.packet(shares)
        claims = await stage.one.claim(packet_id, ROOM, crowd(size))
        assert [claim.viewer_id for claim in claims] == [one.viewer_id for one in crowd(size)]
        assert Counter(claim.status for claim in claims)[S.GRANTED] == len(shares)
        await stage.check_books(packet_id, claims, shares)

    on_stage(case)


def test_a_viewer_twice_in_one_batch_gets_one_share(on_stage: Case) -> None:
    """For each of forty viewers, one of its two grabs is granted and the other repeats the share."""

    async def case(stage: CaseStage) -> None:
        shares = [1 + n for n in range(80)]
        packet_id = await stage.packet(shares)
        taps = [tap(f"v{n}", f"{number}-{n}") for n in range(40) for number in range(2)]
        claims = await stage.one.claim(packet_id, ROOM, taps)
        assert Counter(claim.status for claim in claims) == {S.GRANTED: 40, S.REPEATED: 40}
        assert [claim.share for claim in claims[::2]] == [claim.share for claim in claims[1::2]]
        await stage.check_books(packet_id, claims, shares)

    on_stage(case)


def test_many_viewers_at_once_get_each_share_once(on_stage: Case) -> None:
    """Two hundred viewers in two processes grab fifty shares concurrently, and each share is given once."""

    async def case(stage: CaseStage) -> None:
        shares = [1 + n for n in range(50)]
        packet_id = await stage.packet(shares)
        both = (stage.one, stage.other)
        answers = await asyncio.gather(*(both[n % 2].claim(packet_id, ROOM, [one]) for n, one in enumerate(crowd(200))))
        claims = [claim for answer in answers for claim in answer]
        assert Counter(claim.status for claim in claims) == {S.GRANTED: 50, S.EXHAUSTED: 150}
        await stage.check_books(packet_id, claims, shares)

    on_stage(case)


def test_taps_of_one_viewer_at_once_get_one_share(on_stage: Case) -> None:
    """Fifty viewers grab concurrently from two devices, and each gets exactly one share."""

    async def case(stage: CaseStage) -> None:
        shares = [1 + n for n in range(100)]
        packet_id = await stage.packet(shares)
        answers = await asyncio.gather(
            *(
                allocator.claim(packet_id, ROOM, [tap(f"v{n}", f"{device}-{n}")])
                for n in range(50)
                for device, allocator in enumerate((stage.one, stage.other))
            )
        )
        claims = [claim for answer in answers for claim in answer]
        assert Counter(claim.status for claim in claims) == {S.GRANTED: 50, S.REPEATED: 50}
        await stage.check_books(packet_id, claims, shares)

    on_stage(case)
