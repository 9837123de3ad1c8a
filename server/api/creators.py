"""Creators and their funds: recharges, balances, details, and the invoice for the channels' fees."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from server.api.access import allowed_to
from server.api.app_state import AppState, WithKey, WithState
from server.api.errors import problems
from server.commands.recharge_wallet import recharge_wallet
from server.core.credential import Role
from server.core.ids import CreatorId, checked_creator_id
from server.core.money.account import FundProduct
from server.core.money.money import FEN_MAX
from server.core.refusal import Refused
from server.store.wallet import ChannelFees, WalletFunds

router = APIRouter(prefix="/api/creators", tags=["creators"], dependencies=[allowed_to(Role.ADMIN, Role.CREATOR)])


JOURNAL_ID = r"^\d{1,19}(-\d{1,19})?$"  # the store's entry ids: milliseconds, and a count within them


class Recharge(BaseModel):
    """
    Money paid in, in fen (KS-ACC-2); ``channel`` defaults to the platform's first.

    A creator's first recharge sets the creator's ``platform``, by default lab; the creator ``platform`` has none of its
    own, and may name one for each recharge's channels (AMB-43). ``product`` is the page on which it was
    paid: the money is for packets and creator coupons alike (DY-ACC-3).
    """

    model_config = ConfigDict(extra="forbid")

    amount_fen: int = Field(gt=0, le=FEN_MAX, strict=True)
    channel: str | None = Field(default=None, pattern="^[a-z_]{1,20}$")
    platform: str | None = None
    product: FundProduct = FundProduct.RED_PACKET


@dataclass(frozen=True, slots=True, kw_only=True)
class FundsShown(WalletFunds):
    """
    A creator's funds in fen: available = recharged + returned - withdrawn - spent (DY-ACC-1).

    ``platform`` is null before the first recharge, and for the creator ``platform``. Withdrawals count from their
    request on. Reversing money is on its way back and will be returned (DY-REV-8).
    """

    creator_id: str
    platform: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RechargeShown(FundsShown):
    """A recharge in fen (KS-ACC-4), and the funds after it: paid = credited + fee."""

    paid_fen: int
    credited_fen: int
    fee_fen: int


class FeeInvoice(BaseModel):
    """The platform's invoice to a creator for the fees of recharges in ``[from_ms, to_ms)`` (KS-ACC-3)."""

    creator_id: str
    from_ms: int
    to_ms: int
    fee_fen: int
    channels: list[ChannelFees]


async def _shown(state: AppState, creator_id: CreatorId, funds: WalletFunds) -> FundsShown:
    return FundsShown(creator_id=creator_id, platform=await state.wallet.platform(creator_id), **asdict(funds))


@router.post("/{creator_id}/recharge", responses=problems(400, 409, 413, 422, 503))
async def recharge(creator_id: str, body: Recharge, state: WithState, key: WithKey) -> RechargeShown:
    """Pay money into a creator's wallet; a creator exists from the first recharge on (DY-ELG-2)."""
    checked = checked_creator_id(creator_id)
    recharged = await recharge_wallet(
        state,
        checked,
        **dict(body),
        transfer_id=f"recharge:{key}",
    )
    shown = await _shown(state, checked, recharged.funds)
    return RechargeShown(
        **asdict(shown),
        paid_fen=recharged.paid_fen,
        credited_fen=recharged.credited_fen,
        fee_fen=recharged.fee_fen,
    )


@router.get("/{creator_id}/funds", responses=problems(422, 503))
async def funds(creator_id: str, state: WithState) -> FundsShown:
    """Show a creator's available funds and the sums behind them (DY-ACC-8)."""
    checked = checked_creator_id(creator_id)
    return await _shown(state, checked, await state.wallet.funds(checked))


@router.get("/{creator_id}/fund-details", responses=problems(422, 503))
async def fund_details(
    creator_id: str,
    state: WithState,
    *,
    after: Annotated[str, Query(pattern=JOURNAL_ID)] = "0",
    count: Annotated[int, Query(ge=1, le=1000)] = 100,
    newest: bool = False,
) -> list[dict[str, Any]]:
    """
    List the movements of a creator's funds in order (KS-ACC-5), or ``newest`` first, starting after ``after``.

    Each names its product and, in ``balance_fen``, the available funds after it.
    """
    return await state.wallet.details(checked_creator_id(creator_id), after=after, count=count, newest=newest)


@router.get("/{creator_id}/fee-invoice", responses=problems(422, 503))
async def fee_invoice(
    creator_id: str,
    state: WithState,
    from_ms: Annotated[int, Query(ge=0, le=FEN_MAX)] = 0,
    to_ms: Annotated[int, Query(ge=0, le=FEN_MAX)] = FEN_MAX,
) -> FeeInvoice:
    """Invoice a creator for the fees of the recharges in a period of room time (KS-ACC-3)."""
    checked = checked_creator_id(creator_id)
    if from_ms > to_ms:
        raise Refused("bad_field", "must not be before from_ms", field="to_ms")
    fees = await state.wallet.fees(checked, from_ms=from_ms, to_ms=to_ms)
    return FeeInvoice(
        creator_id=checked,
        from_ms=from_ms,
        to_ms=to_ms,
        fee_fen=sum(each.fee_fen for each in fees),
        channels=fees,
    )
