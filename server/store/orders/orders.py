"""
Orders in the store: submitted with the packets they use, paid, cancelled, refunded, finished (docs/rules.md).

The core decides every step on what was read at one instant, and one script commits it if nothing of that has changed;
otherwise it is decided anew. Whatever platform packets have to do follows (``order_follow``).
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from weakref import WeakValueDictionary

from server.core.ids import PLATFORM, CreatorId, OrderId, ViewerId, home_of
from server.core.money.posting import OrderKind, StepPart, parts_of
from server.core.orders import order as core
from server.core.orders.discount import Discount
from server.core.orders.order import OrderState, Refund, StepOutcome
from server.core.orders.order_stats import order_stats_of
from server.core.orders.pricing import Quote
from server.core.orders.purchase import Purchase
from server.core.orders.settlement import Rates, Settlement, settle
from server.core.orders.stacking import Choice
from server.core.packets.packet_stats import estimate_gains
from server.core.refusal import Refused
from server.core.rulebooks.platforms import RULEBOOKS
from server.core.rulebooks.rulebook import Rulebook
from server.store import keys
from server.store.assets import Assets
from server.store.clock import StoreClock
from server.store.connection import Store, StoreUnavailable
from server.store.orders.commit import OrderStep, commit, decided_until, look_again
from server.store.orders.order_record import FollowedStep, OrderRecord, record_of, standing
from server.store.orders.platform_part import TRIES_MAX, PlatformParts
from server.store.orders.submission import Submission, Submits
from server.store.transfers import StoreBroken, checked_transfer_id, refusal

__all__ = ["OrderRecord", "Orders"]

DUE_MAX = 500  # looked at in one round of the sweeper: two seconds at the worst, and other creators have their turn
_PAGE = 100  # records read at once: some ten kilobytes each
_Decide = Callable[[OrderRecord, int, Rulebook], StepOutcome]


class Orders:
    """All orders of all viewers. Every change is one step, once per transfer id."""

    def __init__(
        self,
        store: Store,
        clock: StoreClock,
        assets: Assets,
        rulebooks: Mapping[str, Rulebook] = RULEBOOKS,
    ) -> None:
        self._store = store
        self._clock = clock
        self._parts = PlatformParts(store, clock, rulebooks)
        self._submits = Submits(store, clock, assets, self._parts, rulebooks)
        self._turns: WeakValueDictionary[OrderId, asyncio.Lock] = WeakValueDictionary()

    async def quote(
        self, viewer_id: ViewerId, purchase: Purchase, discounts: Sequence[Discount], platform: str
    ) -> tuple[Quote, Choice]:
        """
        Return what a purchase would cost now with the best of the viewer's packets, and why the others are not used.

        Raises Refused: bad_field for an unknown platform or discounts that are none, and as ``price`` does.
        """
        return await self._submits.quote(viewer_id, purchase, discounts, platform)

    async def submit(
        self,
        *,
        viewer_id: ViewerId,
        purchase: Purchase,
        discounts: Sequence[Discount],
        platform: str,
        rates: Rates,
        merchant_id: str,
        transfer_id: str,
        asset_ids: Sequence[str] | None = None,
        expected_payable_fen: int | None = None,
    ) -> OrderRecord:
        """
        Submit an order and lock its packets: the best ones if *asset_ids* is None, else exactly those (DY-USE-2).

        The same viewer with the same transfer id gets the same order. Raises Refused: transfer_conflict if that stands
        for another submission, price_changed if it does not cost *expected_payable_fen*, not_yours, a ``Reason`` with
        its rule for a packet that may not be used, bad_id, bad_field, raced, and as ``price`` does.
        """
        asked = Submission(
            viewer_id,
            purchase,
            tuple(discounts),
            platform,
            rates,
            merchant_id,
            transfer_id,
            None if asset_ids is None else tuple(sorted(asset_ids)),
            expected_payable_fen,
        )
        asked.check()
        order_id = await self._submits.order_id(asked)
        async with self._turn(order_id):
            for _ in range(TRIES_MAX):
                record = await self._submits.submit(order_id, asked)
                if record is not None:
                    return record
        raise _raced()

    async def pay(self, order_id: OrderId, transfer_id: str) -> OrderRecord:
        """
        Take the buyer's payment and redeem the packets, all or none (DY-USE-7, KS-USE-3). Once paid it stays so.

        Raises Refused: not_found, transfer_conflict, expired (cancel the order), not_payable, raced.
        """
        return await self._step(
            order_id,
            OrderKind.PAY,
            checked_transfer_id(transfer_id),
            lambda record, now_ms, rulebook: core.pay(record.order, record.assets, now_ms, rulebook),
        )

    async def cancel(self, order_id: OrderId, transfer_id: str) -> OrderRecord:
        """
        Cancel an unpaid order: each packet goes to the viewer, or to its funder if it has expired (DY-CAN-1, -2).

        Raises Refused: not_found, transfer_conflict, not_cancellable, raced.
        """
        return await self._cancel(order_id, checked_transfer_id(transfer_id))

    async def refund(self, order_id: OrderId, asked: Refund) -> OrderRecord:
        """
        Carry out a refund that has succeeded, known by its id (DY-REV-5 to DY-REV-7, DY-REV-9, DY-CAN-3 to -6).

        Raises Refused: not_found, refund_conflict, not_refundable, out_of_range, too_many, raced.
        """
        checked_transfer_id(asked.refund_id)
        return await self._step(
            order_id,
            OrderKind.REFUND,
            f"refund:{order_id}:{asked.refund_id}",
            lambda record, now_ms, rulebook: core.refund(record.order, record.assets, asked, now_ms, rulebook),
        )

    async def finish(self, order_id: OrderId) -> OrderRecord:
        """
        Close the refund window of a paid order and settle it: all of its money is where it belongs (AMB-15, DY-SET).

        Raises Refused: not_found, not_final_yet, not_paid, raced.
        """
        return await self._step(
            order_id,
            OrderKind.FINISH,
            f"finish:{order_id}",
            lambda record, now_ms, rulebook: core.finish(record.order, record.assets, now_ms, rulebook),
        )

    async def get(self, order_id: OrderId) -> OrderRecord:
        """Return an order. Raises Refused ``not_found``."""
        home = home_of(order_id)
        await self._clock.copy_to(home)
        record = (await standing(self._store, home, order_id)).order
        if record is None:
            raise Refused("not_found", "no such order", field="order_id")
        return record

    async def due(self, creator_id: CreatorId) -> list[OrderId]:
        """Return the orders that the sweeper is to look at now, by this process's clock; not too many."""
        latest_ms = self._clock.room_ms() + self._clock.error_ms * self._clock.record.speed
        found: Any = await self._store.redis.zrangebyscore(
            keys.orders_due(creator_id), "-inf", latest_ms, start=0, num=DUE_MAX
        )
        return [OrderId(name.decode()) for name in found]

    async def list(self, creator_id: CreatorId, *, latest: int = 0) -> "list[OrderRecord]":
        """Return the orders whose home is the creator, oldest first: all, or only so many of the *latest*."""
        found: Any = await self._store.redis.zrange(keys.orders(creator_id), -latest, -1)
        records: list[OrderRecord] = []
        for first in range(0, len(found), _PAGE):
            async with self._store.redis.pipeline(transaction=False) as together:
                for order_id in found[first : first + _PAGE]:
                    together.hgetall(keys.order(creator_id, OrderId(order_id.decode())))
                records += [record for each in await together.execute() if (record := record_of(each)) is not None]
        return records

    async def catch_up(self, order_id: OrderId) -> None:
        """
        Do what is due of an order: its part follows or is let go, unpaid it is cancelled, paid for long it is final.

        Any number of processes may do so at once. Raises Refused ``raced``; StoreBroken.
        """
        home = home_of(order_id)
        await self._clock.copy_to(home)
        if home != PLATFORM:
            async with self._turn(order_id):
                await self._parts.catch_up(order_id)
        here = await standing(self._store, home, order_id)
        record = here.order
        due_at_ms = None if record is None else self._due_at_ms(record)
        if record is None or due_at_ms is None or here.now_ms < due_at_ms:
            await look_again(self._store, StepPart(OrderKind.FINISH, "", home, order_id), here.version, due_at_ms)
        elif record.order.state is OrderState.SUBMITTED_UNPAID:
            with contextlib.suppress(Refused):  # it was paid meanwhile
                await self._cancel(order_id, f"unpaid:{order_id}")
        else:
            await self.finish(order_id)

    async def _cancel(self, order_id: OrderId, transfer_id: str) -> OrderRecord:
        return await self._step(
            order_id,
            OrderKind.CANCEL,
            transfer_id,
            lambda record, now_ms, rulebook: core.cancel(record.order, record.assets, now_ms, rulebook),
        )

    async def _step(self, order_id: OrderId, kind: OrderKind, transfer_id: str, decide: _Decide) -> OrderRecord:
        home = home_of(order_id)
        await self._clock.copy_to(home)
        async with self._turn(order_id):
            for _ in range(TRIES_MAX):
                here = await standing(self._store, home, order_id, transfer_id)
                record = here.order
                if record is None:
                    raise Refused("not_found", "no such order", field="order_id")
                stands_for = here.transferred
                if stands_for is not None and not stands_for.startswith(f"{kind}:{order_id}|"):
                    raise refusal(b"transfer_conflict")
                outcome = decide(record, here.now_ms, self._submits.rulebook(record.deal.platform))
                if outcome.order == record.order:
                    return record
                after = await self._commit(record, outcome, kind, transfer_id, here.now_ms)
                if after is not None:
                    return after
        raise _raced()

    async def _commit(
        self, record: OrderRecord, outcome: StepOutcome, kind: OrderKind, transfer_id: str, now_ms: int
    ) -> OrderRecord | None:
        """Commit a step and have the platform's part follow; None if something came in between."""
        order, home = outcome.order, record.home
        settled = self._settled(order, record) if kind is OrderKind.FINISH else None
        rulebook = self._submits.rulebook(record.deal.platform)
        estimates = estimate_gains(record.order, order, record.deal.rates, rulebook)
        parts = parts_of(
            outcome,
            record.assets,
            kind=kind,
            transfer_id=transfer_id,
            home=home,
            merchant_id=record.deal.merchant_id,
            settled=settled,
        )
        followed = None
        if home != PLATFORM and PLATFORM in parts:
            gains = order_stats_of(kind, record.order, order, PLATFORM, settled, estimates=estimates)
            if parts[PLATFORM].postings or gains.total:
                followed = FollowedStep(record.version + 1, parts[PLATFORM], gains)
        after = record.stepped(outcome, followed)
        due_at_ms = self._due_at_ms(after)
        if followed is not None:
            later_ms = now_ms + self._parts.wait_ms
            due_at_ms = later_ms if due_at_ms is None else min(due_at_ms, later_ms)
        step = OrderStep(
            parts[home],
            order.viewer_id,
            after.fields(),
            record.version,
            now_ms,
            decided_until(record.assets, now_ms, *self._window_end_ms(record)),
            due_at_ms,
            asked=f"{kind}:{order.order_id}",
            gains=order_stats_of(kind, record.order, order, home, settled, estimates=estimates),
        )
        if await commit(self._store, step) != b"done":
            return None
        if followed is not None:
            # It is decided, whether the part hears of it now or from the sweeper, which complains of what is broken.
            with contextlib.suppress(StoreUnavailable, StoreBroken, Refused):
                await self._parts.catch_up(after.order_id)
        return after

    def _settled(self, order: core.Order, record: OrderRecord) -> Settlement:
        rulebook = self._submits.rulebook(record.deal.platform)
        refunded_fen = sum(order.refunded_by_line.values())
        return settle(order.quote, record.deal.rates, rulebook, refunded_fen=refunded_fen)

    def _window_end_ms(self, record: OrderRecord) -> tuple[int, ...]:
        """Return when the refund window closes, or nothing of an order that was never paid."""
        if record.order.paid_at_ms is None:
            return ()
        rulebook = self._submits.rulebook(record.deal.platform)
        return (record.order.paid_at_ms + rulebook.refund_horizon_ms,)

    def _due_at_ms(self, record: OrderRecord) -> int | None:
        """Return when the sweeper has something to do with the order itself, or None if it is over."""
        match record.order.state:
            case OrderState.SUBMITTED_UNPAID:
                return self._submits.rulebook(record.deal.platform).unpaid_until_ms(record.created_at_ms)
            case OrderState.PAID:
                return self._window_end_ms(record)[0]
        return None

    def _turn(self, order_id: OrderId) -> asyncio.Lock:
        """Return the lock that has this process's own steps of an order come one after another, and so none in vain."""
        return self._turns.setdefault(order_id, asyncio.Lock())


def _raced() -> Refused:
    return Refused("raced", "others keep changing this order; ask again", field="order_id")
