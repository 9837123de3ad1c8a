"""Following: how the platform's part of an order applies a step of its home, under another creator's tag."""

from dataclasses import dataclass, replace

from server.core.ids import PLATFORM, packet_of_claim
from server.core.money.account import AccountKind, account
from server.core.money.posting import OrderKind, Posting, Reversal, StepPart, merged
from server.core.orders.asset import Asset, AssetState
from server.core.orders.order import Order
from server.core.orders.order_stats import OrderStats


@dataclass(frozen=True, slots=True)
class FollowedStep:
    """The step of the platform's part of an order after home's step to *version*."""

    version: int
    part: StepPart
    gains: OrderStats


def follow(
    step: FollowedStep, order: Order, assets: tuple[Asset, ...], now_ms: int, delay_ms: int
) -> tuple[StepPart, tuple[Asset, ...]]:
    """
    Return the step with which a part with these *assets* follows home's step at *now_ms*, and its packets after it.

    A packet that home gave back to the viewer in time, but whose validity is over by now, goes to the platform, because
    the sweeper skipped it while an order held it and would not find it again (AMB-26).
    """
    by_id = {asset.asset_id: asset for asset in assets}
    transfer_id = f"follow:{order.order_id}:{step.version}"
    postings, reversals, changes = list(step.part.postings), list(step.part.reversals), []
    for change in step.part.changes:
        asset, after = by_id[change.asset_id], change.after
        if after is AssetState.AVAILABLE and asset.expired_at(now_ms):
            after = AssetState.EXPIRED_RETURNED
            packet_id = packet_of_claim(change.asset_id)
            held = account(AccountKind(change.before), packet_id)
            postings.append(Posting(held, account(AccountKind.ASSETS, packet_id), -change.face_fen))
            postings.append(Posting(held, account(AccountKind.REVERSING, PLATFORM), change.face_fen))
            key = f"{transfer_id}:{change.asset_id}"
            reversals.append(Reversal(key, packet_id, change.face_fen, now_ms + delay_ms))
        changes.append(change._replace(after=after))
        by_id[change.asset_id] = in_state(asset, after, order)
    todo = replace(
        step.part,
        kind=OrderKind.FOLLOW,
        transfer_id=transfer_id,
        postings=tuple(posting for posting in merged(postings) if posting.amount_fen > 0),
        changes=tuple(changes),
        reversals=tuple(reversals),
    )
    return todo, tuple(by_id[asset.asset_id] for asset in assets)


def in_state(asset: Asset, state: AssetState, order: Order) -> Asset:
    """Return a packet of an order in the state to which the order brought it."""
    held = order.order_id if state in (AssetState.LOCKED, AssetState.REDEEMED) else None
    return replace(asset, state=state, order_id=held)
