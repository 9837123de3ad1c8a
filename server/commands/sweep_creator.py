"""Carry out a creator's due steps: settle packets, end orders, expire shares, credit money (DY-REV-2, -3, DY-REV-8)."""

import contextlib
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from server.commands.catch_up_order import catch_up_order
from server.commands.context import CommandContext
from server.core.ids import CreatorId, PacketId
from server.core.refusal import Refused
from server.store.transfers import StoreBroken

CALLS_PER_ROUND = 20  # of one script for one packet or creator, 500 shares each; then the others get their turn
_Complain = Callable[[str, StoreBroken], None]


async def sweep_creator(at: CommandContext, creator_id: CreatorId, complain: _Complain) -> list[PacketId]:
    """
    Return the packets that were settled. Each script does its step once, for any number of callers.

    Broken data are reported to *complain*, and stop nothing else. Raises StoreUnavailable.
    """
    settled: list[PacketId] = []
    for packet_id in await at.packets.due(creator_id):
        with _reporting(complain, f"{packet_id} cannot be swept"):
            if await at.packets.sweep(packet_id) is not None:
                settled.append(packet_id)
                await at.gateway.look_at(packet_id)
    for order_id in await at.orders.due(creator_id):
        # If another process is changing it, the next round tries again.
        with _reporting(complain, f"{order_id} cannot be brought up to date"), contextlib.suppress(Refused):
            await catch_up_order(at, order_id)
    for packet_id in await at.reversals.expiring(creator_id):
        with _reporting(complain, f"{packet_id} cannot expire"):
            await _repeat(partial(at.reversals.expire, packet_id))
    with _reporting(complain, f"{creator_id} cannot be credited"):
        await _repeat(partial(at.reversals.reverse, creator_id))
    return settled


@contextlib.contextmanager
def _reporting(complain: _Complain, message: str) -> Iterator[None]:
    try:
        yield
    except StoreBroken as error:
        complain(message, error)


async def _repeat(step: Callable[[], Awaitable[int]]) -> None:
    """Repeat a step until nothing more is due, or the limit is reached."""
    for _ in range(CALLS_PER_ROUND):
        if not await step():
            return
