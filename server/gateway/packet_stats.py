"""Hand this process's counts of packets' effects to the store once a second."""

import asyncio
from collections.abc import Mapping, Sequence

from server.core.ids import PacketId
from server.gateway.grabs import GrabDesk
from server.gateway.metrics import Metrics
from server.gateway.rooms import LiveRooms
from server.store.clock import StoreClock
from server.store.connection import StoreUnavailable
from server.store.packet_stats import StatsCounters, grabs_field
from server.store.supervision import SupervisedTask

HAND_IN_EVERY_S = 1.0  # real; a process that dies loses its counts since the last time


class StatsDesk:
    """
    Gathers what rooms have shown (``Exposure``) and how grabs were answered, and adds it to the packets' totals.

    Nothing is stored while no packet is on air.
    """

    def __init__(
        self,
        counters: StatsCounters,
        *,
        rooms: LiveRooms,
        grabs: GrabDesk,
        clock: StoreClock,
        metrics: Metrics,
    ) -> None:
        self._counters = counters
        self._rooms = rooms
        self._grabs = grabs
        self._clock = clock
        self._metrics = metrics
        self._keeping: SupervisedTask | None = None
        self._handing_in = asyncio.Lock()

    def start(self) -> None:
        """Start handing in."""
        self._keeping = self._clock.store.supervisor.every(HAND_IN_EVERY_S, "the count of effects", self._hand_in)

    async def stop(self) -> None:
        """Hand in the last counts and stop."""
        if self._keeping is not None:
            await self._keeping.stop()
        await self.hand_in()

    async def hand_in(self) -> None:
        """Hand in the counts since the last time. Never raises: counts that the store does not take are lost."""
        try:
            await self._hand_in()
        except StoreUnavailable:
            self._metrics.store_unavailable += 1

    async def _hand_in(self) -> None:
        async with self._handing_in:
            await self._add_all()

    async def _add_all(self) -> None:
        """Raises StoreUnavailable; some counts may have arrived, and losing some beats counting a viewer twice."""
        counts: dict[PacketId, dict[str, int]] = {}
        sold_out_after_ms: dict[PacketId, int] = {}
        exposed: dict[PacketId, Sequence[str]] = {}
        now_ms = self._clock.room_ms()
        for room in self._rooms:
            taken = room.exposure.take(len(room.viewers.holders), now_ms)
            sold_out_after_ms.update(taken.sold_out_after_ms)
            exposed.update(taken.exposed)
            for packet_id, shown in taken.counts.items():
                _add(counts, packet_id, shown)
        for packet_id, tally in self._grabs.take_tallies().items():
            _add(counts, packet_id, {grabs_field(status): answers for status, answers in tally.items()})
        await self._counters.add(counts, sold_out_after_ms)
        await self._counters.expose(exposed)


def _add(counts: dict[PacketId, dict[str, int]], packet_id: PacketId, more: Mapping[str, int]) -> None:
    counts.setdefault(packet_id, {}).update(more)
