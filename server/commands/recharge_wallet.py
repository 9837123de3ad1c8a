"""Recharge a creator's wallet; its platform sets the channels and fees (DY-ELG-2, KS-ACC-2, -4)."""

from server.commands.context import CommandContext
from server.commands.retry import decided
from server.core.ids import CreatorId, checked_id
from server.core.money.account import FundProduct
from server.core.rulebooks.funding import charge_of, recharge_channel
from server.core.rulebooks.platforms import LAB
from server.store.transfers import checked_transfer_id, refusal
from server.store.wallet import CHANNEL_LENGTH_MAX, Recharged


async def recharge_wallet(
    at: CommandContext,
    creator_id: CreatorId,
    *,
    amount_fen: int,
    transfer_id: str,
    channel: str | None = None,
    platform: str | None = None,
    product: FundProduct = FundProduct.RED_PACKET,
) -> Recharged:
    """
    Credit *amount_fen* paid over *channel*, minus or plus its fee, and return the result (KS-ACC-4).

    The first recharge sets the creator's platform (LAB by default), whose rulebook has channels and fees; *channel*
    None takes its first. A repeated transfer id returns the same result. Raises Refused: transfer_conflict,
    channel_not_offered, other_platform, out_of_range, too_much.
    """
    checked_transfer_id(transfer_id)
    if channel is not None:
        checked_id("channel", channel, length_max=CHANNEL_LENGTH_MAX)

    async def attempt() -> Recharged:
        settled = await at.wallet.platform(creator_id)
        presumed = platform or settled or LAB.platform
        rulebook = at.rulebook(presumed)
        if presumed != (settled or presumed):
            raise refusal(b"other_platform")
        chosen = channel or recharge_channel(rulebook)
        charge = charge_of(rulebook, amount_fen, chosen)
        return await at.wallet.credit(
            creator_id,
            platform=presumed,
            channel=chosen,
            product=product,
            amount_fen=amount_fen,
            charge=charge,
            transfer_id=transfer_id,
        )

    # If none was named, a concurrent first recharge may have set the platform, which then stays.
    return await decided(attempt, tries=2 if platform is None else 1, give_up=refusal(b"other_platform"))
