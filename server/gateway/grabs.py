"""Batch the grabs of one loop turn by packet, pass them to the packet's allocator, and return the receipts."""

import asyncio
from collections.abc import Callable
from itertools import groupby
from operator import attrgetter
from typing import Protocol

from server.core.ids import PacketId, RoomId
from server.core.packets.claim import Claim, ClaimStatus, Grab
from server.core.refusal import Refused
from server.core.rooms.messages import receipt
from server.gateway.frames import text_frame
from server.gateway.metrics import Metrics
from server.store.allocators.port import Allocator, refusals
from server.store.connection import StoreUnavailable
from server.watched_task import watched_task

_STATUS = attrgetter("status")
RECEIPTS_PER_TURN = 500  # written per turn of the loop: about 3 ms


Tally = dict[ClaimStatus, int]
"""The number of a packet's grabs by answer."""


class GrabRequester(Protocol):
    """A connection that grabs."""

    def answer(self, frames: bytes, receipts: int) -> None:
        """Write receipts, joined, to the viewer; a closed connection ignores them."""

    def won(self, packet_id: PacketId) -> None:
        """Note that grabs of this packet got shares."""

    def missed_out(self, packet_id: PacketId) -> None:
        """Note that a grab of this connection found no share left."""


class GrabDesk:
    """
    Batches grabs and sends receipts.

    One task per packet, room and turn calls the allocator, so that a slow answer for one packet delays no other. It is
    not asked about packets that this process knows to be of another room (AMB-46).
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        allocator_of: Callable[[PacketId], Allocator],
        room_of: Callable[[PacketId], RoomId | None],
        metrics: Metrics,
    ) -> None:
        self._loop = loop
        self._allocator_of = allocator_of
        self._room_of = room_of
        self._metrics = metrics
        self._batches: dict[tuple[PacketId, RoomId], tuple[list[GrabRequester], list[Grab]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._tallies: dict[PacketId, Tally] = {}

    def take(self, requester: GrabRequester, packet_id: PacketId, room_id: RoomId, grab: Grab) -> None:
        """Accept a grab made in a room; it is answered exactly once."""
        batch = self._batches.get((packet_id, room_id))
        if batch is None:
            if not self._batches:
                self._loop.call_soon(self._flush)
            batch = self._batches[packet_id, room_id] = ([], [])
        batch[0].append(requester)
        batch[1].append(grab)

    def take_tallies(self) -> dict[PacketId, Tally]:
        """Return how the grabs of each packet were answered since the last time."""
        tallies, self._tallies = self._tallies, {}
        return tallies

    async def drain(self) -> None:
        """Wait until every grab taken is answered."""
        while self._batches or self._tasks:
            await asyncio.sleep(0)
            if self._tasks:
                await asyncio.wait(self._tasks)

    def _flush(self) -> None:
        batches, self._batches = self._batches, {}
        for (packet_id, room_id), (requesters, grabs) in batches.items():
            watched_task(self._answer(packet_id, room_id, requesters, grabs), "an allocator failed", self._tasks)

    async def _answer(
        self, packet_id: PacketId, room_id: RoomId, requesters: list[GrabRequester], grabs: list[Grab]
    ) -> None:
        try:
            if self._room_of(packet_id) not in (None, room_id):
                claims = refusals(packet_id, grabs, ClaimStatus.NOT_FOUND)
            else:
                claims = await self._allocator_of(packet_id).claim(packet_id, room_id, grabs)
        except StoreUnavailable:
            self._metrics.store_unavailable += 1
            claims = refusals(packet_id, grabs, ClaimStatus.UNAVAILABLE)
        except Refused:
            claims = refusals(packet_id, grabs, ClaimStatus.NOT_FOUND)
        except Exception:
            # Every grab gets an answer even if the allocator fails; the error is reported when the task ends.
            self._hand_out(requesters, refusals(packet_id, grabs, ClaimStatus.UNAVAILABLE))
            raise
        assert len(claims) == len(grabs)
        for first in range(0, len(claims), RECEIPTS_PER_TURN):
            if first:
                await asyncio.sleep(0)
            part = slice(first, first + RECEIPTS_PER_TURN)
            self._hand_out(requesters[part], claims[part])

    def _hand_out(self, requesters: list[GrabRequester], claims: list[Claim]) -> None:
        """Write each requester its receipts; consecutive ones of one requester go out in one write."""
        holder, frames, in_hand, size = requesters[0], b"", 0, 0
        for requester, claim in zip(requesters, claims, strict=True):
            frame = text_frame(receipt(claim))
            size += len(frame)
            if requester is holder:
                frames += frame
                in_hand += 1
            else:
                holder.answer(frames, in_hand)
                holder, frames, in_hand = requester, frame, 1
        holder.answer(frames, in_hand)
        self._metrics.frames_out += len(claims)
        self._metrics.bytes_out += size
        tally = self._tally_of(claims[0])
        for status, run in groupby(claims, key=_STATUS):
            answers = sum(1 for _ in run)
            self._metrics.grabs[status] += answers
            tally[status] = tally.get(status, 0) + answers
            if status is ClaimStatus.GRANTED:
                holder.won(claims[0].packet_id)
            elif status is ClaimStatus.EXHAUSTED:
                holder.missed_out(claims[0].packet_id)

    def _tally_of(self, claim: Claim) -> Tally:
        """Return the tally of a packet, or a throw-away one if the packet is unknown: made-up ids take no memory."""
        if claim.edition == 0:
            return {}
        return self._tallies.setdefault(claim.packet_id, {})
