"""Send a newcomer the count of its usable packets shortly after its welcome, which never waits for the store."""

import asyncio
from itertools import islice

from server.core.ids import CreatorId, ViewerId
from server.core.rooms import messages
from server.gateway.frames import text_frame
from server.gateway.metrics import Metrics
from server.gateway.trails import BuyerConnection, write_to
from server.store.assets import Assets
from server.store.connection import StoreUnavailable
from server.watched_task import watched_task

WAITING_MAX = 20_000  # newcomers; one that joins while as many wait gets no count
BATCH_MAX = 100
FAULT = "newcomers' packets cannot be counted"
PAUSE_S = 0.025  # real, before each batch: at most 4,000 newcomers a second, with pauses for the store


class AssetDesk:
    """
    Counts the usable packets of newcomers, one batch after another.

    A batch belongs to one creator and takes two round trips, however many viewers it has. A viewer that has left or
    holds nothing gets no message. Nothing waits for these messages, and they may be lost.
    """

    def __init__(self, assets: Assets, metrics: Metrics) -> None:
        self._assets = assets
        self._metrics = metrics
        self._waiting: dict[CreatorId, dict[BuyerConnection, ViewerId]] = {}
        self._sending: asyncio.Task[None] | None = None
        self._batches: set[asyncio.Task[None]] = set()

    def join(self, connection: BuyerConnection, viewer_id: ViewerId, creator_id: CreatorId) -> None:
        """Note a newcomer in a room of the creator."""
        if sum(map(len, self._waiting.values())) >= WAITING_MAX:
            return
        self._waiting.setdefault(creator_id, {})[connection] = viewer_id
        if self._sending is None or self._sending.done():
            self._sending = watched_task(self._send_all(), FAULT)

    def leave(self, connection: BuyerConnection, creator_id: CreatorId) -> None:
        """Forget a closed connection, if it still waits."""
        self._waiting.get(creator_id, {}).pop(connection, None)

    async def stop(self) -> None:
        """Stop sending counts."""
        self._waiting.clear()
        tasks = [*self._batches, *([] if self._sending is None else [self._sending])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _send_all(self) -> None:
        while self._waiting:
            await asyncio.sleep(PAUSE_S)
            for creator_id in list(self._waiting):
                # In a task of its own, so that an error costs this batch its messages and no other.
                await asyncio.wait({watched_task(self._send_batch(creator_id), FAULT, self._batches)})
                if not self._waiting.get(creator_id):
                    self._waiting.pop(creator_id, None)

    async def _send_batch(self, creator_id: CreatorId) -> None:
        waiting = self._waiting.get(creator_id, {})
        batch = list(islice(waiting.items(), BATCH_MAX))
        if not batch:
            return  # all of them left while they waited
        counts: dict[ViewerId, int] = {}
        try:
            counts = await self._assets.counts([*dict.fromkeys(viewer_id for _, viewer_id in batch)], creator_id)
        except StoreUnavailable:
            self._metrics.store_unavailable += 1
        finally:
            for connection, viewer_id in batch:
                if waiting.pop(connection, None) is not None and (count := counts.get(viewer_id, 0)):
                    write_to(connection, text_frame(messages.assets(count)), self._metrics)
