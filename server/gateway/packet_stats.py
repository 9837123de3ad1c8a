"""What this process has counted of packets' effects, handed to the store once a second."""

import asyncio
from collections.abc import Mapping

from server.core.ids import PacketId
from server.gateway.grabs import GrabDesk
from server.gateway.metrics import Metrics
from server.gateway.rooms import LiveRooms
from server.store.clock import StoreClock
from server.store.connection import StoreUnavailable
from server.store.packet_stats import StatsCounters, grabs_field
from server.watched_task import watched_task

HAND_IN_EVERY_S = 1.0  # real; what a process has when it dies is lost


class StatsDesk:
    """
    Gathers what rooms have shown (``Exposure``) and how grabs were answered, and adds it to the packets' totals.

    Nothing is written of who saw or lost what, and nothing at all while no packet is on air.
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
        self._keeping: asyncio.Task[None] | None = None
        self._handing_in = asyncio.Lock()

    def start(self) -> None:
        """Begin to hand in."""
        self._keeping = watched_task(self._keep_handing_in(), "packets' effects are no longer handed in")

    async def stop(self) -> None:
        """Hand in the last, and stop."""
        if self._keeping is not None:
            async with self._handing_in:  # what is on its way must not be cut off
                self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        await self.hand_in()

    async def hand_in(self) -> None:
        """Add what was counted since the last time. Never raises: what the store does not take is lost."""
        async with self._handing_in:
            await self._hand_in()

    async def _hand_in(self) -> None:
        counts: dict[PacketId, dict[str, int]] = {}
        sold_out_after_ms: dict[PacketId, int] = {}
        now_ms = self._clock.room_ms()
        for room in self._rooms:
            taken = room.exposure.take(len(room.audience), now_ms)
            sold_out_after_ms.update(taken.sold_out_after_ms)
            for packet_id, shown in taken.counts.items():
                _add(counts, packet_id, shown)
        for packet_id, tally in self._grabs.take_tallies().items():
            _add(counts, packet_id, {grabs_field(status): answers for status, answers in tally.items()})
        try:
            await self._counters.add(counts, sold_out_after_ms)
        except StoreUnavailable:
            # Some of it may have arrived: totals that count a viewer twice would be the greater surprise.
            self._metrics.store_unavailable += 1

    async def _keep_handing_in(self) -> None:
        while True:
            await asyncio.sleep(HAND_IN_EVERY_S)
            await self.hand_in()


def _add(counts: dict[PacketId, dict[str, int]], packet_id: PacketId, more: Mapping[str, int]) -> None:
    counts.setdefault(packet_id, {}).update(more)
