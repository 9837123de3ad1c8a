"""What a newcomer holds of the room's creator: told a moment after its welcome, which waits for no store."""

import asyncio
from itertools import islice

from server.core.ids import CreatorId, ViewerId
from server.core.rooms import messages
from server.gateway.frames import text_frame
from server.gateway.metrics import Metrics
from server.gateway.trails import Reached, write_to
from server.store.assets import Assets
from server.store.connection import StoreUnavailable
from server.watched_task import watched_task

WAITING_MAX = 20_000  # newcomers; whoever comes when as many wait is told nothing
TOLD_AT_ONCE_MAX = 100
PAUSE_S = 0.025  # real, before each lot: 4,000 newcomers a second at most, and the store has its peace between


class AssetDesk:
    """
    Counts the usable packets of those who came in, a lot at a time and one lot after another.

    A lot is one creator's: two round trips, however many viewers. Who has left meanwhile is forgotten, and who holds
    nothing is told nothing, so that a crowd of strangers costs no frame. Nothing waits for it, and it may be lost.
    """

    def __init__(self, assets: Assets, metrics: Metrics) -> None:
        self._assets = assets
        self._metrics = metrics
        self._waiting: dict[CreatorId, dict[Reached, ViewerId]] = {}
        self._telling: asyncio.Task[None] | None = None

    def join(self, connection: Reached, viewer_id: ViewerId, creator_id: CreatorId) -> None:
        """Note a newcomer in a room of the creator."""
        if sum(map(len, self._waiting.values())) >= WAITING_MAX:
            return
        self._waiting.setdefault(creator_id, {})[connection] = viewer_id
        if self._telling is None or self._telling.done():
            self._telling = watched_task(self._tell_all(), "newcomers' packets cannot be counted")

    def leave(self, connection: Reached, creator_id: CreatorId) -> None:
        """Forget a connection that has gone, if it still waits."""
        self._waiting.get(creator_id, {}).pop(connection, None)

    async def stop(self) -> None:
        """Tell nobody any more."""
        self._waiting.clear()
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)

    async def _tell_all(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(PAUSE_S)
                for creator_id in list(self._waiting):
                    await self._tell_some(creator_id)
                    if not self._waiting.get(creator_id):
                        self._waiting.pop(creator_id, None)
        finally:
            self._waiting.clear()  # after a fault; else there is nobody left

    async def _tell_some(self, creator_id: CreatorId) -> None:
        waiting = self._waiting[creator_id]
        lot = list(islice(waiting.items(), TOLD_AT_ONCE_MAX))
        try:
            counts = await self._assets.counts([*dict.fromkeys(viewer_id for _, viewer_id in lot)], creator_id)
        except StoreUnavailable:
            self._metrics.store_unavailable += 1
            counts = {}
        for connection, viewer_id in lot:
            if waiting.pop(connection, None) is not None and (count := counts.get(viewer_id, 0)):
                write_to(connection, text_frame(messages.assets(count)), self._metrics)
