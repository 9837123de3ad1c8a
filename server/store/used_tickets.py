"""Tickets that were used, so that each opens one room once, whichever server it is shown to."""

import asyncio

from server.store import keys
from server.store.connection import Store
from server.store.unavailable import StoreUnavailable
from server.watched_task import watched_task


class UsedTickets:
    """Notes used tickets in the store until they expire; those of one moment go there together."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[tuple[str, int, asyncio.Future[bool]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def use(self, ticket_id: str, lasts_ms: int) -> bool:
        """Return whether a ticket that lasts so long is used for the first time. Raises StoreUnavailable."""
        first: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((ticket_id, max(1, lasts_ms), first))
        if len(self._waiting) == 1:
            watched_task(self._note(), "used tickets could not be noted", self._tasks)
        return await first

    async def _note(self) -> None:
        waiting, self._waiting = self._waiting, []
        together = self._store.redis.pipeline(transaction=False)
        for ticket_id, lasts_ms, _ in waiting:
            together.set(keys.used_ticket(ticket_id), b"", nx=True, px=lasts_ms)
        try:
            replies = await together.execute()
        except StoreUnavailable as error:
            for _, _, first in waiting:
                if not first.done():
                    first.set_exception(error)
            return
        for (_, _, first), reply in zip(waiting, replies, strict=True):
            if not first.done():
                first.set_result(bool(reply))
