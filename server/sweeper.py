"""The sweeper: settles packets whose claim window is over, soon after it is, and retires them long after."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from server.core.ids import CreatorId, PacketId
from server.store import keys
from server.store.clock import StoreClock
from server.store.connection import Store, StoreUnavailable
from server.store.packets import Packets
from server.store.retention import Retention
from server.store.transfers import StoreBroken

ROUND_S = 0.2  # real; money goes back within a fifth of a second
ROUNDS_PER_CLEARING = 50  # abandoned staging waits ten minutes anyway
RETIRING_S = 10.0  # real; nothing waits for what is retired


class Sweeper:
    """
    Looks at every creator's due packets every 200 real ms and sweeps them (DY-REV-2).

    *retention*, where there is one, has a turn every ten seconds.

    Any number of processes may run one: the script sweeps once. *on_settled* is told of each packet this one settled.
    """

    def __init__(
        self,
        store: Store,
        clock: StoreClock,
        packets: Packets,
        on_settled: Callable[[PacketId], Awaitable[None]] | None = None,
        retention: Retention | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._packets = packets
        self._on_settled = on_settled
        self._retention = retention
        self._rounds = 0
        self._broken: set[PacketId] = set()
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to sweep."""
        assert not self._tasks
        self._stopping.clear()
        self._tasks.append(asyncio.create_task(self._run()))
        if self._retention is not None:
            self._tasks.append(asyncio.create_task(self._retire(self._retention)))
        for task in self._tasks:
            task.add_done_callback(_report)

    async def stop(self) -> None:
        """Finish the round that is under way and end."""
        self._stopping.set()
        await asyncio.gather(*self._tasks)
        self._tasks.clear()

    async def look(self) -> list[PacketId]:
        """Sweep once what is due and return it. Raises StoreUnavailable."""
        settled: list[PacketId] = []
        clearing = self._rounds % ROUNDS_PER_CLEARING == 0
        self._rounds += 1
        creators: Any = await self._store.redis.smembers(keys.CREATORS)
        for name in creators:
            creator_id = CreatorId(name.decode())
            due = await self._packets.due(creator_id)
            settled += [packet_id for packet_id in due if await self._sweep(packet_id)]
            if clearing:
                await self._packets.drop_abandoned(creator_id)
        return settled

    async def _sweep(self, packet_id: PacketId) -> bool:
        try:
            if await self._packets.sweep(packet_id) is None:
                return False
        except StoreBroken as error:
            self._complain(packet_id, error)
            return False
        if self._on_settled is not None:
            await self._on_settled(packet_id)
        return True

    def _complain(self, packet_id: PacketId, error: StoreBroken) -> None:
        """Make a packet that cannot be swept heard, once; the others are swept all the same."""
        if packet_id not in self._broken:
            self._broken.add(packet_id)
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"{packet_id} cannot be swept", "exception": error}
            )

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


def _report(task: asyncio.Task[None]) -> None:
    """Make a fault of ours heard at once: nobody awaits this task before the process ends."""
    if not task.cancelled() and task.exception() is not None:
        task.get_loop().call_exception_handler(
            {"message": "nothing is swept any more", "task": task, "exception": task.exception()}
        )
