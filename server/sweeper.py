"""The sweeper carries out due steps of packets, shares, orders and money, and retires data that ended long ago."""

import asyncio
import contextlib

from server.commands.context import CommandContext
from server.commands.sweep_creator import sweep_creator
from server.core.ids import PacketId
from server.store.connection import StoreUnavailable
from server.store.retention import Retention
from server.store.transfers import StoreBroken
from server.watched_task import watched_task

ROUND_S = 0.2  # real; money goes back within a fifth of a second
ROUNDS_PER_CLEARING = 50  # abandoned staging waits ten minutes anyway
RETIRING_S = 10.0  # real; nothing waits for what is retired


class Sweeper:
    """
    Checks every creator's packets, orders and money every 200 real ms, and carries out the due steps.

    Any number of processes may run one. *retention*, if given, runs every ten seconds.
    """

    def __init__(self, context: CommandContext, retention: Retention | None = None) -> None:
        self._context = context
        self._retention = retention
        self._rounds = 0
        self._broken: set[str] = set()
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start to sweep."""
        assert not self._tasks
        self._stopping.clear()
        self._tasks.append(
            watched_task(self._run(), "the sweeper stopped: due packets, orders and money are no longer processed")
        )
        if self._retention is not None:
            self._tasks.append(
                watched_task(self._retire(self._retention), "retention stopped: nothing is retired any more")
            )

    async def stop(self) -> None:
        """Finish the current round and stop."""
        self._stopping.set()
        await asyncio.gather(*self._tasks)
        self._tasks.clear()

    async def look(self) -> list[PacketId]:
        """Carry out the due steps once and return the packets that were settled. Raises StoreUnavailable."""
        settled: list[PacketId] = []
        clearing = self._rounds % ROUNDS_PER_CLEARING == 0
        self._rounds += 1
        for creator_id in await self._context.creators.list():
            settled += await sweep_creator(self._context, creator_id, self._complain)
            if clearing:
                await self._context.packets.drop_abandoned(creator_id)
        return settled

    def _complain(self, message: str, error: StoreBroken) -> None:
        """Report a step that failed, once; the others still get their turn."""
        if message not in self._broken:
            self._broken.add(message)
            asyncio.get_running_loop().call_exception_handler({"message": message, "exception": error})

    async def _run(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(StoreUnavailable):  # due steps stay due; the next round finds them
                await self.look()
            await self._pause(ROUND_S)

    async def _retire(self, retention: Retention) -> None:
        """Retire step by step; report errors of store or disk, and keep in the store what is not archived."""
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
