"""
A step of an existing order: paid, cancelled, refunded, finished (rules.md 10 to 15).

The core decides on data read at one instant, and one script commits the decision if none of them has changed; otherwise
it is decided again. The platform's packets follow (``follow_order``).
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from server.commands.context import CommandContext
from server.commands.follow_order import TRIES_MAX, follow_order, part_wait_ms
from server.commands.retry import decided
from server.core.ids import PLATFORM, OrderId, home_of
from server.core.money.posting import OrderKind, parts_of
from server.core.orders.asset import Asset
from server.core.orders.following import FollowedStep
from server.core.orders.inbox import of_step
from server.core.orders.order import Order, StepOutcome, due_at_ms, refundable_until_ms
from server.core.orders.order_stats import given_back, order_stats_of
from server.core.orders.settlement import settle_order
from server.core.packets.packet_stats import estimate_gains
from server.core.refusal import Refused
from server.core.rulebooks.rulebook import Rulebook
from server.store.connection import StoreUnavailable
from server.store.orders.commit import OrderStep, decided_until
from server.store.orders.order_record import OrderRecord
from server.store.orders.orders import no_such_order, raced_order
from server.store.transfers import StoreBroken, refusal

_Decide = Callable[[Order, Sequence[Asset], int, Rulebook], StepOutcome]


async def step_order(
    at: CommandContext, order_id: OrderId, kind: OrderKind, transfer_id: str, decide: _Decide
) -> OrderRecord:
    """
    Take a step, once per transfer id; the record is ``repeated`` if its effect was there already (AMB-58).

    Raises Refused: not_found, transfer_conflict, raced, and as *decide* does.
    """
    home = home_of(order_id)

    async def attempt() -> OrderRecord:
        here = await at.orders.standing(home, order_id, transfer_id)
        record, stands_for = here.order, here.transferred
        if record is None:
            raise no_such_order()
        if stands_for is not None and not stands_for.startswith(f"{kind}:{order_id}|"):
            raise refusal(b"transfer_conflict")
        if stands_for is not None and kind is not OrderKind.REFUND:  # which must be the same refund
            return replace(record, repeated=True)
        outcome = decide(record.order, record.assets, here.now_ms, at.rulebook(record.deal.platform))
        if outcome.order == record.order:
            return replace(record, repeated=True)
        return await _commit(at, record, outcome, kind=kind, transfer_id=transfer_id, now_ms=here.now_ms)

    async with at.orders.turn(order_id):
        return await decided(attempt, tries=TRIES_MAX, give_up=raced_order())


async def _commit(
    at: CommandContext, record: OrderRecord, outcome: StepOutcome, *, kind: OrderKind, transfer_id: str, now_ms: int
) -> OrderRecord:
    """Commit a step and make the platform's part follow. Raises Raced after a concurrent change."""
    order, home, deal = outcome.order, record.home, record.deal
    rulebook = at.rulebook(deal.platform)
    settled = settle_order(order, deal.rates, rulebook) if kind is OrderKind.FINISH else None
    estimates = estimate_gains(record.order, order, deal.rates, rulebook)
    back = given_back(record.assets, outcome.assets)
    parts = parts_of(
        outcome,
        record.assets,
        kind=kind,
        transfer_id=transfer_id,
        home=home,
        merchant_id=deal.merchant_id,
        settled=settled,
    )
    followed = None
    if home != PLATFORM and PLATFORM in parts:
        gains = order_stats_of(kind, record.order, order, PLATFORM, settled, estimates=estimates, given_back=back)
        if parts[PLATFORM].postings or gains.total:
            followed = FollowedStep(record.version + 1, parts[PLATFORM], gains)
    after = record.stepped(outcome, followed)
    dues_ms = [due_at_ms(order, record.created_at_ms, rulebook), now_ms + part_wait_ms(at) if followed else None]
    ends_ms = refundable_until_ms(record.order, rulebook)
    step = OrderStep(
        parts[home],
        order.viewer_id,
        after.fields(),
        record.version,
        now_ms,
        decided_until(record.assets, now_ms, *(() if ends_ms is None else (ends_ms,))),
        min((ms for ms in dues_ms if ms is not None), default=None),
        asked=f"{kind}:{order.order_id}",
        gains=order_stats_of(kind, record.order, order, home, settled, estimates=estimates, given_back=back),
    )
    await at.orders.commit(step)
    told = [*of_step(record.order, order, record.assets, outcome.assets, now_ms)]
    with contextlib.suppress(StoreUnavailable):  # the step is committed, and the order itself says what it was
        await at.inboxes.add(order.viewer_id, told)
    if followed is not None:
        # The step is committed. If the part does not follow now, the sweeper makes it, and reports broken data.
        with contextlib.suppress(StoreUnavailable, StoreBroken, Refused):
            await follow_order(at, after.order_id)
    return after
