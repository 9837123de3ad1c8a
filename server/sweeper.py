"""The sweeper carries out due steps of packets, shares, orders and money, and retires data that ended long ago."""

import asyncio
from functools import partial

from server.commands.context import CommandContext
from server.commands.sweep_creator import sweep_creator
from server.core.ids import PacketId
from server.store.connection import StoreUnavailable
from server.store.retention import Retention
from server.store.supervision import SupervisedTask
from server.store.transfers import StoreBroken

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
        self._tasks: list[SupervisedTask] = []

    async def start(self) -> None:
        """Start to sweep."""
        assert not self._tasks
        every = self._context.clock.store.supervisor.every
        self._tasks.append(every(ROUND_S, "the sweeper", self.look))
        if self._retention is not None:
            self._tasks.append(every(RETIRING_S, "retention", partial(self._retire, self._retention)))

    async def stop(self) -> None:
        """Finish the current rounds and stop."""
        await asyncio.gather(*(task.stop() for task in self._tasks))
        self._tasks.clear()

    async def look(self) -> list[PacketId]:
        """Carry out the due steps once and return the packets that were settled. Raises StoreUnavailable."""
        settled: list[PacketId] = []
        clearing = self._rounds % ROUNDS_PER_CLEARING == 0
        self._rounds += 1
        creators = self._context.creators
        due = await creators.due(self._context.clock.latest_ms)
        for creator_id in await creators.list() if clearing else due:
            try:
                if creator_id in due:
                    settled += await sweep_creator(self._context, creator_id, self._complain)
                if clearing:
                    await self._context.packets.drop_abandoned(creator_id)
            except StoreUnavailable:
                raise
            except Exception as error:
                self._complain(f"{creator_id} cannot be swept", error)
        return settled

    def _complain(self, message: str, error: Exception) -> None:
        """Report a step that failed, once; the others still get their turn."""
        if message not in self._broken:
            self._broken.add(message)
            asyncio.get_running_loop().call_exception_handler({"message": message, "exception": error})

    async def _retire(self, retention: Retention) -> None:
        """Retire step by step; report errors of data or disk, and keep in the store what is not archived."""
        try:
            await retention.turn()
        except (StoreBroken, OSError) as error:
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"not everything can be retired: {error}", "exception": error}
            )
