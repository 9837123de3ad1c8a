"""Cancel an unpaid order: each packet goes to the viewer, or to its funder if it has expired (DY-CAN-1, DY-CAN-2)."""

from server.commands.context import CommandContext
from server.commands.order_step import step_order
from server.core.ids import OrderId
from server.core.money.posting import OrderKind
from server.core.orders.order import cancel
from server.store.orders.order_record import OrderRecord
from server.store.transfers import checked_transfer_id


async def cancel_order(at: CommandContext, order_id: OrderId, transfer_id: str) -> OrderRecord:
    """
    Cancel the order. If it is cancelled, by whomever, nothing changes (AMB-58).

    Raises Refused: not_found, transfer_conflict, not_cancellable, raced.
    """
    return await step_order(at, order_id, OrderKind.CANCEL, checked_transfer_id(transfer_id), cancel)
