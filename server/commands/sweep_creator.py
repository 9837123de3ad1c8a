"""Do what is due of a creator: packets settle, orders end, shares expire, money arrives (DY-REV-2, -3, DY-REV-8)."""

import contextlib
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from server.commands.catch_up_order import catch_up_order
from server.commands.context import CommandContext
from server.core.ids import CreatorId, PacketId
from server.core.refusal import Refused
from server.store.transfers import StoreBroken

CALLS_PER_ROUND = 20  # of one script for one packet or creator, 500 shares each; the others have their turn then
_Complain = Callable[[str, StoreBroken], None]


async def sweep_creator(at: CommandContext, creator_id: CreatorId, complain: _Complain) -> list[PacketId]:
    """
    Return the packets that were settled. Each script does its step once, however many processes ask.

    What is broken is told to *complain*, and stops nothing else. Raises StoreUnavailable.
    """
    settled: list[PacketId] = []
    for packet_id in await at.packets.due(creator_id):
        with _heard(complain, f"{packet_id} cannot be swept"):
            if await at.packets.sweep(packet_id) is not None:
                settled.append(packet_id)
                await at.gateway.look_at(packet_id)
    for order_id in await at.orders.due(creator_id):
        # Where others are at it, the next round looks again.
        with _heard(complain, f"{order_id} cannot be seen to"), contextlib.suppress(Refused):
            await catch_up_order(at, order_id)
    for packet_id in await at.reversals.expiring(creator_id):
        with _heard(complain, f"{packet_id} cannot expire"):
            await _repeat(partial(at.reversals.expire, packet_id))
    with _heard(complain, f"{creator_id} cannot be credited"):
        await _repeat(partial(at.reversals.reverse, creator_id))
    return settled


@contextlib.contextmanager
def _heard(complain: _Complain, message: str) -> Iterator[None]:
    try:
        yield
    except StoreBroken as error:
        complain(message, error)


async def _repeat(step: Callable[[], Awaitable[int]]) -> None:
    """Take a step until nothing more is due, or others must have their turn."""
    for _ in range(CALLS_PER_ROUND):
        if not await step():
            return
