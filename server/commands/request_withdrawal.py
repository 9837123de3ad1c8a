"""Request a withdrawal: available funds are set aside, to be paid out by the platform's channels (DY-ACC-7, AMB-27)."""

from server.commands.context import CommandContext
from server.core.ids import CreatorId
from server.core.money.account import FundProduct
from server.core.money.payee import Payee
from server.core.rulebooks.funding import check_payee, withdraw_channel
from server.store.transfers import checked_transfer_id
from server.store.withdrawals import Withdrawal


async def request_withdrawal(
    at: CommandContext,
    creator_id: CreatorId,
    *,
    amount_fen: int,
    transfer_id: str,
    channel: str | None = None,
    product: FundProduct = FundProduct.RED_PACKET,
    payee: Payee | None = None,
) -> Withdrawal:
    """
    Set *amount_fen* aside for *payee* over *channel*, or the first that the platform offers.

    A repeated transfer id returns the same withdrawal as it is now. Raises Refused: withdraw_unsupported,
    channel_not_offered, bad_field (no payee), and as ``Withdrawals.set_aside`` does.
    """
    checked_transfer_id(transfer_id)
    rulebook = await at.rulebook_of_creator(creator_id)
    chosen = withdraw_channel(rulebook, channel)
    check_payee(rulebook, payee)
    return await at.withdrawals.set_aside(
        creator_id, rulebook, product, chosen, payee, fen=amount_fen, transfer_id=transfer_id
    )
