"""The sweeper: what is due of packets, shares, orders and money is done soon after; what is long over is retired."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from server.core.ids import CreatorId, PacketId
from server.core.refusal import Refused
from server.store import keys
from server.store.clock import StoreClock
from server.store.connection import Store, StoreUnavailable
from server.store.orders.orders import Orders
from server.store.packets import Packets
from server.store.retention import Retention
from server.store.reversals import Reversals
from server.store.transfers import StoreBroken
from server.watched_task import watched_task

ROUND_S = 0.2  # real; money goes back within a fifth of a second
ROUNDS_PER_CLEARING = 50  # abandoned staging waits ten minutes anyway
RETIRING_S = 10.0  # real; nothing waits for what is retired
CALLS_PER_ROUND = 20  # of one script for one packet or creator, 500 shares each; the others have their turn then


class Sweeper:
    """
    Looks at every creator's packets and money every 200 real ms and does what is due (DY-REV-2, DY-REV-3, DY-REV-8).

    *retention*, where there is one, has a turn every ten seconds.

    Any number of processes may run one: each script does its step once. *on_settled* is told of each packet this one
    settled.
    """

    def __init__(
        self,
        store: Store,
        clock: StoreClock,
        packets: Packets,
        on_settled: Callable[[PacketId], Awaitable[None]] | None = None,
        *,
        orders: Orders | None = None,
        retention: Retention | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._packets = packets
        self._reversals = Reversals(store, clock)
        self._on_settled = on_settled
        self._orders = orders
        self._retention = retention
        self._rounds = 0
        self._broken: set[str] = set()
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to sweep."""
        assert not self._tasks
        self._stopping.clear()
        self._tasks.append(watched_task(self._run(), "nothing is swept any more"))
        if self._retention is not None:
            self._tasks.append(watched_task(self._retire(self._retention), "nothing is retired any more"))

    async def stop(self) -> None:
        """Finish the round that is under way and end."""
        self._stopping.set()
        await asyncio.gather(*self._tasks)
        self._tasks.clear()

    async def look(self) -> list[PacketId]:
        """Do once what is due and return the packets that were settled. Raises StoreUnavailable."""
        settled: list[PacketId] = []
        clearing = self._rounds % ROUNDS_PER_CLEARING == 0
        self._rounds += 1
        creators: Any = await self._store.redis.smembers(keys.CREATORS)
        for name in creators:
            creator_id = CreatorId(name.decode())
            due = await self._packets.due(creator_id)
            settled += [packet_id for packet_id in due if await self._sweep(packet_id)]
            await self._see_to_orders(creator_id)
            for packet_id in await self._reversals.expiring(creator_id):
                await self._repeat(partial(self._reversals.expire, packet_id), f"{packet_id} cannot expire")
            await self._repeat(partial(self._reversals.reverse, creator_id), f"{creator_id} cannot be credited")
            if clearing:
                await self._packets.drop_abandoned(creator_id)
        return settled

    async def _sweep(self, packet_id: PacketId) -> bool:
        try:
            if await self._packets.sweep(packet_id) is None:
                return False
        except StoreBroken as error:
            self._complain(f"{packet_id} cannot be swept", error)
            return False
        if self._on_settled is not None:
            await self._on_settled(packet_id)
        return True

    async def _see_to_orders(self, creator_id: CreatorId) -> None:
        """Let orders that were not paid or may not be refunded any more end, and those between two tags go on."""
        if self._orders is None:
            return
        for order_id in await self._orders.due(creator_id):
            try:
                with contextlib.suppress(Refused):  # others are at it; the next round looks again
                    await self._orders.catch_up(order_id)
            except StoreBroken as error:
                self._complain(f"{order_id} cannot be seen to", error)

    async def _repeat(self, step: Callable[[], Awaitable[int]], complaint: str) -> None:
        """Take a step until nothing more is due, or others must have their turn."""
        try:
            for _ in range(CALLS_PER_ROUND):
                if not await step():
                    return
        except StoreBroken as error:
            self._complain(complaint, error)

    def _complain(self, message: str, error: StoreBroken) -> None:
        """Make what cannot be done heard, once; the others have their turn all the same."""
        if message not in self._broken:
            self._broken.add(message)
            asyncio.get_running_loop().call_exception_handler({"message": message, "exception": error})

    async def _run(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(StoreUnavailable):  # what is due stays due; the next round finds it
                await self.look()
            await self._pause(ROUND_S)

    async def _retire(self, retention: Retention) -> None:
        """Retire bit by bit; a fault of store or disk is made heard, and what is not archived stays in the store."""
        while True:
            try:
                await retention.turn()
            except StoreUnavailable:
                pass
            except (StoreBroken, OSError) as error:
                asyncio.get_running_loop().call_exception_handler(
                    {"message": f"not everything can be retired: {error}", "exception": error}
                )
            await self._pause(RETIRING_S)
            if self._stopping.is_set():
                return

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
