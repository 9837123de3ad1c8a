"""The gate before a store's books: it is shut while the store lacks what was acknowledged, and until that is known."""

import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from redis.exceptions import ConnectionError as NotConnected

from server.core.ids import CreatorId, PacketId
from server.store import keys
from server.store.unavailable import BooksBehind, StoreUnavailable

PASSING = frozenset({"audience", "books", "keep_clock", "marks", "open_clock", "permitted"})
"""The scripts that move no money and open no window: they are run whatever the books lack."""

_RUN_ID = re.compile(rb"run_id:(\w+)")
_moves_money: ContextVar[bool] = ContextVar("moves_money", default=False)


class BooksGate:
    """
    One process's gate. Without ``compare`` it is open; with it, every new run of the store is compared first.

    ``shut`` says what the store lacks, "" while the gate is open.
    ``noted`` are the creators whose books may have moved since they were last taken out, each with the packet of which
    shares were claimed last ("" if none).
    """

    def __init__(self) -> None:
        self.shut = ""
        self.compare: Callable[[str], Awaitable[None]] | None = None
        self.on_note: Callable[[], None] = lambda: None
        self.compared_run = ""
        self.noted: dict[CreatorId, PacketId] = {}

    @contextmanager
    def passing(self, script: str) -> Iterator[None]:
        """Let *script* be run in the block. Raises BooksBehind if it may not be while the gate is shut."""
        moves_money = script not in PASSING
        if moves_money:
            self.check()
        token = _moves_money.set(moves_money)
        try:
            yield
        finally:
            _moves_money.reset(token)

    def check(self) -> None:
        """Raise BooksBehind while the gate is shut."""
        if self.shut:
            raise BooksBehind(self.shut)

    def note(self, names: Sequence[str]) -> None:
        """Note whose journals a script that ended has moved, by the keys it was run on."""
        if self.compare is None:
            return
        packets = {keys.creator_in(name): keys.packet_in(name) for name in names if keys.PACKET_INFIX in name}
        for name in names:
            if name.endswith(keys.JOURNAL_SUFFIX):
                creator_id = keys.creator_in(name)
                self.noted[creator_id] = packets.get(creator_id) or self.noted.get(creator_id, PacketId(""))
        self.on_note()

    async def on_connect(self, connection: Any) -> None:
        """
        Greet the store on a new connection, and have its books compared if it is another run of it than the last.

        A store that was restarted is met here first, before any command can have reached it.
        """
        await connection.on_connect()
        if self.compare is None:
            return
        await connection.send_command("INFO", "server")
        run_id = run_id_of(await connection.read_response())
        try:
            if run_id != self.compared_run:
                await self.compare(run_id)
            if _moves_money.get():
                self.check()
        except StoreUnavailable as error:
            raise NotConnected(str(error)) from error  # the library cleans up after errors of its own


def run_id_of(info: bytes) -> str:
    """Return the id of the store's run from the section ``server`` of its INFO."""
    found = _RUN_ID.search(info)
    return found[1].decode() if found else ""
