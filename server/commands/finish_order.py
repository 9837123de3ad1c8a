"""Finish a paid order: its refund window closes, and all of its money is settled (AMB-15, DY-SET-1)."""

from server.commands.context import CommandContext
from server.commands.order_step import step_order
from server.core.ids import OrderId
from server.core.money.posting import OrderKind
from server.core.orders.order import finish
from server.store.orders.order_record import OrderRecord


async def finish_order(at: CommandContext, order_id: OrderId) -> OrderRecord:
    """Settle the order. Raises Refused: not_found, not_final_yet, not_paid, raced."""
    return await step_order(at, order_id, OrderKind.FINISH, f"finish:{order_id}", finish)
