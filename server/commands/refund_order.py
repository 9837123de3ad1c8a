"""Refund an order; only when all goods are refunded in full do the packets go back (DY-REV-5 to -7, DY-CAN-3 to -6)."""

from server.commands.context import CommandContext
from server.commands.order_step import step_order
from server.core.ids import OrderId
from server.core.money.posting import OrderKind
from server.core.orders.order import Refund, refund
from server.store.orders.order_record import OrderRecord
from server.store.transfers import checked_transfer_id


async def refund_order(at: CommandContext, order_id: OrderId, asked: Refund) -> OrderRecord:
    """
    Carry out a successful refund, once per its id (DY-REV-9).

    Raises Refused: not_found, refund_conflict, not_refundable, out_of_range, too_many, raced.
    """
    transfer_id = f"refund:{order_id}:{checked_transfer_id(asked.refund_id)}"
    return await step_order(
        at,
        order_id,
        OrderKind.REFUND,
        transfer_id,
        lambda order, assets, now_ms, rulebook: refund(order, assets, asked, now_ms, rulebook),
    )
