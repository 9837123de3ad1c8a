"""Carry out an order's due steps: its part follows or is released, unpaid it is cancelled, paid it becomes final."""

import contextlib

from server.commands.context import CommandContext
from server.commands.finish_order import finish_order
from server.commands.follow_order import follow_order
from server.commands.order_step import step_order
from server.core.ids import PLATFORM, OrderId, home_of
from server.core.money.posting import OrderKind
from server.core.orders.order import OrderState, cancel, due_at_ms
from server.core.refusal import Refused


async def catch_up_order(at: CommandContext, order_id: OrderId) -> None:
    """Carry out the due steps; any number of processes may do so at once. Raises Refused ``raced``; StoreBroken."""
    home = home_of(order_id)
    if home != PLATFORM:
        async with at.orders.turn(order_id):
            await follow_order(at, order_id)
    here = await at.orders.standing(home, order_id)
    record, due_ms = here.order, None
    if record is not None:
        due_ms = due_at_ms(record.order, record.created_at_ms, at.rulebook(record.deal.platform))
    if record is None or due_ms is None or here.now_ms < due_ms:
        await at.orders.look_again(home, order_id, here.version, due_ms)
    elif record.order.state is OrderState.SUBMITTED_UNPAID:
        with contextlib.suppress(Refused):  # it was paid meanwhile
            await step_order(at, order_id, OrderKind.CANCEL, f"unpaid:{order_id}", cancel)
    else:
        await finish_order(at, order_id)
