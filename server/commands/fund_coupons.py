"""Fund a coupon budget from the creator's one pool of funds (DY-ACC-3, AMB-56)."""

from server.commands.context import CommandContext
from server.core.ids import CreatorId
from server.store.coupon_budgets import CouponBudget


async def fund_coupons(at: CommandContext, creator_id: CreatorId, *, amount_fen: int, transfer_id: str) -> CouponBudget:
    """Move *amount_fen* into a new budget, by the rules of the creator's platform. Raises Refused as the store does."""
    rulebook = await at.rulebook_of_creator(creator_id)
    return await at.coupon_budgets.fund(creator_id, rulebook, amount_fen=amount_fen, transfer_id=transfer_id)
