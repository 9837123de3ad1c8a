"""
The default allocator: one script call answers hundreds of grabs, and memory answers where the store's answer is known.

Of each packet and room one batch is in flight; grabs that come meanwhile go together with the next one. After the store
has said exhausted or too late, the packet's claims are copied in the background, and from then on the crowd costs
nothing.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.core.ids import PacketId, RoomId, creator_of
from server.core.packets.capabilities import ALL_CAPABILITIES
from server.core.packets.claim import Claim, ClaimStatus, Grab
from server.core.packets.packet import PacketState
from server.core.refusal import Refused
from server.store import keys
from server.store.allocators.memory import Memory, Recollection
from server.store.allocators.port import Allocator, refusals
from server.store.clock import StoreClock
from server.store.connection import Store, StoreUnavailable
from server.store.packet_record import packet_from, share_from
from server.store.packets import claims_of
from server.watched_task import watched_task

PAIRS_MAX = 500  # claim.lua takes no more; a batch stays about a millisecond
GRABS_WAITING_MAX = 200_000  # per process; past it the answer is unavailable at once, not late

_STATUS = {
    ord("g"): ClaimStatus.GRANTED,
    ord("r"): ClaimStatus.REPEATED,
    ord("x"): ClaimStatus.EXHAUSTED,
    ord("e"): ClaimStatus.TOO_EARLY,
    ord("l"): ClaimStatus.TOO_LATE,
    ord("v"): ClaimStatus.VOIDED,
    ord("n"): ClaimStatus.NOT_FOUND,
}
_HOLDING = b"gr"


@dataclass(slots=True)
class _Call:
    """One caller's grabs: how many are on their way or answered, and the answers so far."""

    grabs: Sequence[Grab]
    answered: "asyncio.Future[list[Claim]]"
    taken: int = 0
    claims: list[Claim] = field(default_factory=list)


class DefaultAllocator(Allocator):
    """
    Answers grabs by ``claim.lua``, or from memory.

    *is_fresh* says whether this process has lately heard from its feed: if not, it may have missed that a packet was
    voided or reopened, and asks the store for everything. ``store_calls`` counts what was asked of the store.
    """

    capabilities = ALL_CAPABILITIES

    def __init__(self, store: Store, clock: StoreClock, is_fresh: Callable[[], bool]) -> None:
        self.store_calls = 0
        self._store = store
        self._clock = clock
        self._is_fresh = is_fresh
        self._memory = Memory()
        self._lanes: dict[tuple[PacketId, RoomId], deque[_Call]] = {}
        self._waiting = 0
        self._reading: dict[PacketId, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def claim(self, packet_id: PacketId, room_id: RoomId, grabs: Sequence[Grab]) -> list[Claim]:
        """Answer all grabs, in order; unavailable if the store cannot be asked."""
        if not grabs:
            return []
        remembered = self._from_memory(packet_id, room_id, grabs)
        if remembered is not None:
            return remembered
        try:
            creator_of(packet_id)
        except Refused:
            return refusals(packet_id, grabs, ClaimStatus.NOT_FOUND)
        if self._waiting + len(grabs) > GRABS_WAITING_MAX:
            return refusals(packet_id, grabs, ClaimStatus.UNAVAILABLE)

        call = _Call(grabs, asyncio.get_running_loop().create_future())
        self._waiting += len(grabs)
        lane = self._lanes.get((packet_id, room_id))
        if lane is not None:
            lane.append(call)
        else:
            self._lanes[packet_id, room_id] = lane = deque([call])
            self._start(self._drain(packet_id, room_id, lane))
        return await call.answered

    def forget(self, packet_id: PacketId | None = None) -> None:
        """Forget a packet that was voided, edited or ended; or all, so that what the store says now is what counts."""
        if packet_id is None:
            self._memory.clear()
            self._reading.clear()
        else:
            self._memory.forget(packet_id)
            self._reading.pop(packet_id, None)

    async def close(self) -> None:
        """Wait until no batch and no copy is on its way."""
        await self.caught_up()

    async def caught_up(self) -> None:
        """Wait until no batch and no copy is on its way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _from_memory(self, packet_id: PacketId, room_id: RoomId, grabs: Sequence[Grab]) -> list[Claim] | None:
        recollection = self._memory.get(packet_id)
        if recollection is None or not self._is_fresh():
            return None
        if room_id != recollection.room_id:
            return refusals(packet_id, grabs, ClaimStatus.NOT_FOUND)
        error_ms = self._clock.error_ms * self._clock.record.speed
        refusal = recollection.refusal_at(self._clock.room_ms(), error_ms)
        return None if refusal is None else recollection.answer(grabs, refusal)

    async def _drain(self, packet_id: PacketId, room_id: RoomId, lane: deque[_Call]) -> None:
        try:
            while lane:
                batch = _next_batch(lane)
                grabs = [grab for _, part in batch for grab in part]
                try:
                    claims = self._from_memory(packet_id, room_id, grabs) or await self._ask(packet_id, room_id, grabs)
                except StoreUnavailable:
                    claims = refusals(packet_id, grabs, ClaimStatus.UNAVAILABLE)
                self._waiting -= len(grabs)
                _hand_out(batch, claims)
        except Exception as error:
            self._abandon(batch, lane, error)
        finally:
            del self._lanes[packet_id, room_id]

    def _abandon(self, batch: "list[tuple[_Call, Sequence[Grab]]]", lane: Iterable[_Call], error: Exception) -> None:
        """Let the callers know that the store's answer was none: nobody may wait for ever."""
        self._waiting -= sum(len(part) for _, part in batch) + sum(len(call.grabs) - call.taken for call in lane)
        for call in [*(call for call, _ in batch), *lane]:
            if not call.answered.done():
                call.answered.set_exception(error)

    async def _ask(self, packet_id: PacketId, room_id: RoomId, grabs: Sequence[Grab]) -> list[Claim]:
        creator_id = creator_of(packet_id)
        names = [
            keys.clock_of(creator_id),
            keys.packet(packet_id),
            keys.shares(packet_id),
            keys.claims(packet_id),
            keys.journal(creator_id),
            keys.added(packet_id),
            keys.owners(packet_id),
        ]
        asked = "".join([f"{viewer_id},{request_id};" for viewer_id, request_id in grabs])
        self.store_calls += 1
        edition, _, _, codes, *values = await self._store.run("claim", names, [asked, len(grabs), room_id])
        self._learn(packet_id, codes, edition)
        held = iter(values)
        return [
            Claim(
                packet_id,
                grab.viewer_id,
                grab.request_id,
                _STATUS[code],
                edition if code not in _HOLDING else (share := share_from(next(held))).edition,
                share if code in _HOLDING else None,
            )
            for grab, code in zip(grabs, codes, strict=True)
        ]

    def _learn(self, packet_id: PacketId, codes: bytes, edition: int) -> None:
        """Start to read what the answers show to be worth remembering, unless it is remembered or being read."""
        known = self._memory.get(packet_id)
        final = b"x" in codes or b"l" in codes
        if packet_id in self._reading or not (final or b"e" in codes):
            return
        if known is None or (final and known.claims is None):
            sold_out = edition if b"x" in codes else None
            self._reading[packet_id] = self._start(self._read(packet_id, final=final, sold_out=sold_out))

    async def _read(self, packet_id: PacketId, *, final: bool, sold_out: int | None) -> None:
        """
        Remember a packet, unless it was voided or edited meanwhile: the state is read after the claims.

        *sold_out* is the edition that had no share left. If another has been added to the packet since, its shares are
        about to be claimed, and nothing is remembered until they are gone too.
        """
        try:
            claims = None
            if final:
                self.store_calls += 1
                claims = {viewer_id: share async for viewer_id, share in claims_of(self._store, packet_id)}
            self.store_calls += 1
            record: Any = await self._store.redis.hgetall(keys.packet(packet_id))
        except Exception as error:
            self._reading.pop(packet_id, None)  # whatever it was, the packet may be read again
            if isinstance(error, StoreUnavailable):
                return
            raise
        if self._reading.get(packet_id) is not asyncio.current_task():
            return
        del self._reading[packet_id]
        packet = packet_from(record) if record else None
        if (
            packet is None
            or packet.room_id is None
            or packet.schedule is None
            or sold_out not in (None, packet.edition)
        ):
            return
        if packet.state in (PacketState.LAUNCHED, PacketState.SETTLED):
            self._memory.put(
                Recollection(packet_id, packet.room_id, packet.edition, packet.schedule, claims, sold_out is not None)
            )

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return watched_task(work, "an allocator failed beside its grabs", self._tasks)


def _next_batch(lane: deque[_Call]) -> list[tuple[_Call, Sequence[Grab]]]:
    """Take the next grabs off a lane, at most PAIRS_MAX, and whose they are; a large call goes in several batches."""
    batch: list[tuple[_Call, Sequence[Grab]]] = []
    room = PAIRS_MAX
    while lane and room:
        call = lane[0]
        part = call.grabs[call.taken : call.taken + room]
        call.taken += len(part)
        room -= len(part)
        batch.append((call, part))
        if call.taken == len(call.grabs):
            lane.popleft()
    return batch


def _hand_out(batch: list[tuple[_Call, Sequence[Grab]]], claims: list[Claim]) -> None:
    first = 0
    for call, part in batch:
        call.claims += claims[first : first + len(part)]
        first += len(part)
        if len(call.claims) == len(call.grabs) and not call.answered.done():
            call.answered.set_result(call.claims)
