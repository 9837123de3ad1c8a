"""Pay an order: its packets are redeemed, all or none, and its buyer's trail begins (DY-USE-7, KS-USE-3, LT-a)."""

from server.commands.context import CommandContext
from server.commands.order_step import step_order
from server.commands.report_event import append_event
from server.core.ids import PLATFORM, OrderId
from server.core.money.posting import OrderKind
from server.core.orders.order import pay
from server.core.orders.trail import TrailEvent, TrailStep
from server.store.orders.order_record import OrderRecord
from server.store.transfers import checked_transfer_id


async def pay_order(at: CommandContext, order_id: OrderId, transfer_id: str) -> OrderRecord:
    """
    Take the buyer's payment. If the order is paid, by whichever payment, nothing changes (AMB-58).

    Raises Refused: not_found, transfer_conflict, expired (cancel the order), not_payable, raced.
    """
    record = await step_order(at, order_id, OrderKind.PAY, checked_transfer_id(transfer_id), pay)
    assert record.order.paid_at_ms is not None
    await append_event(at, TrailEvent(order_id, TrailStep.PAID, record.order.paid_at_ms, PLATFORM, "paid"))
    return record
