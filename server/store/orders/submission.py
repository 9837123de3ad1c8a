"""Submitting an order: priced with a viewer's packets, all of which are locked with it, or none (DY-USE-2)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import orjson

from server.core.ids import (
    PLATFORM,
    ClaimId,
    CreatorId,
    OrderId,
    ViewerId,
    checked_id,
    creator_of,
    home_of,
    order_id_of,
    packet_of_claim,
)
from server.core.money.posting import OrderKind, parts_of
from server.core.orders.asset import Asset
from server.core.orders.discount import RED_PACKETS, Discount
from server.core.orders.order import Order, StepOutcome, submit
from server.core.orders.pricing import Quote
from server.core.orders.purchase import Purchase
from server.core.orders.selection import exact_quote
from server.core.orders.settlement import Rates
from server.core.orders.stacking import Choice, best_quote
from server.core.refusal import Refused
from server.core.rulebooks.platforms import rulebook_of
from server.core.rulebooks.rulebook import Rulebook
from server.store import keys
from server.store.assets import Assets
from server.store.clock import StoreClock
from server.store.connection import Store
from server.store.orders.commit import OrderStep, commit, decided_until
from server.store.orders.order_record import HELD, Deal, OrderRecord, PartRecord, Standing, room_ms_of, standing
from server.store.orders.platform_part import PlatformParts
from server.store.transfers import checked_transfer_id, refusal


@dataclass(frozen=True, slots=True)
class Submission:
    """
    All that a buyer says with an order.

    ``asset_ids`` are the packets to use, exactly these; None leaves the choice to us. ``expected_payable_fen`` is what
    the buyer was shown.
    """

    viewer_id: ViewerId
    purchase: Purchase
    discounts: tuple[Discount, ...]
    platform: str
    rates: Rates
    merchant_id: str
    transfer_id: str
    asset_ids: tuple[str, ...] | None = None
    expected_payable_fen: int | None = None

    def digest(self) -> str:
        """Return what tells this submission from every other."""
        return hashlib.sha256(orjson.dumps(_plain(self), option=orjson.OPT_SORT_KEYS)).hexdigest()

    def check(self) -> None:
        """Raise Refused if there is a word in it that cannot be one."""
        checked_transfer_id(self.transfer_id)
        checked_id("viewer_id", self.viewer_id)
        checked_id("merchant_id", self.merchant_id)
        check_discounts(self.discounts)


def check_discounts(discounts: Sequence[Discount]) -> None:
    """Let nobody give a discount twice, or a packet as if it were a coupon; raises Refused ``bad_field``."""
    if len({each.discount_id for each in discounts}) < len(discounts):
        raise Refused("bad_field", "an id stands there twice", field="discounts")
    if any(each.kind in RED_PACKETS for each in discounts):
        raise Refused("bad_field", "packets are named by asset_ids", field="discounts")
    if any(":" in each.discount_id for each in discounts):
        raise Refused("bad_field", "an id looks like that of a packet in a viewer's hands", field="discounts")


class Submits:
    """The way into an order, for all creators."""

    def __init__(
        self,
        store: Store,
        clock: StoreClock,
        assets: Assets,
        parts: PlatformParts,
        rulebooks: Mapping[str, Rulebook],
    ) -> None:
        self._store = store
        self._clock = clock
        self._assets = assets
        self._parts = parts
        self._rulebooks = rulebooks

    async def quote(
        self, viewer_id: ViewerId, purchase: Purchase, discounts: Sequence[Discount], platform: str
    ) -> tuple[Quote, Choice]:
        """Return what a purchase would cost now, and which of the viewer's packets would best be used and why."""
        check_discounts(discounts)
        rulebook = self.rulebook(platform)
        creators = {line.creator_id for line in purchase.lines if line.creator_id is not None}
        held = await self._assets.of_viewer(viewer_id, [*sorted(creators), PLATFORM])
        now_ms = await self._now_ms(PLATFORM)
        return best_quote(purchase, discounts, [each.asset for each in held], now_ms, rulebook)

    def rulebook(self, platform: str) -> Rulebook:
        """Return a platform's rulebook. Raises Refused ``bad_field`` if it has none."""
        return rulebook_of(self._rulebooks, platform)

    async def order_id(self, asked: Submission) -> OrderId:
        """
        Return the id of the order that a submission makes, or made before.

        Its home is the creator whose packets it names, else that of the first line that has one, else the platform.
        Where we choose among the packets of several creators, the first choice is kept: asked again, the order is
        where it was.
        """
        first = home_for(asked.purchase, asked.asset_ids or ())
        order_id = order_id_of(first, asked.viewer_id, asked.transfer_id)
        creators = {line.creator_id for line in asked.purchase.lines} - {None}
        if asked.asset_ids is not None or len(creators) < 2:
            return order_id
        _, choice = await self.quote(asked.viewer_id, asked.purchase, asked.discounts, asked.platform)
        best = home_for(asked.purchase, [asset.asset_id for asset, _ in choice.used])
        field = f"home:{order_id}"
        await self._store.redis.hsetnx(keys.transfers(first), field, best)
        kept = await self._store.redis.hget(keys.transfers(first), field)
        assert isinstance(kept, bytes)
        return order_id_of(CreatorId(kept.decode()), asked.viewer_id, asked.transfer_id)

    async def submit(self, order_id: OrderId, asked: Submission) -> OrderRecord | None:
        """
        Try to submit an order, or return the one that the same submission made; None if others came in between.

        Raises Refused: transfer_conflict, price_changed, a ``Reason`` with its rule for a packet that may not be used,
        and as ``price`` and ``submit`` of the core do.
        """
        home = home_of(order_id)
        await self._clock.copy_to(home)
        here = await standing(self._store, home, order_id)
        if (known := here.order) is not None:
            if known.deal.asked != asked.digest():
                raise refusal(b"transfer_conflict")
            return known
        there = await self._parts.standing(order_id) if home != PLATFORM else None
        part = None if there is None else there.part
        if part is not None and part.state == HELD:
            if part.home_version != here.version or not _still_good(part, asked, here.now_ms):
                await self._parts.catch_up(order_id)
                return None
            return await self._enter(part.order, part.deal, here, part.created_at_ms)
        decided = await self._decided(order_id, asked, here.now_ms)
        if decided is None:
            return None
        outcome, used = decided
        deal = Deal(
            outcome.order.quote,
            outcome.order.packets,
            tuple(used),
            asked.discounts,
            asked.platform,
            asked.rates,
            asked.merchant_id,
            asked.digest(),
        )
        return await self._enter(outcome.order, deal, here, here.now_ms, 0 if there is None else there.version)

    async def _enter(
        self, order: Order, deal: Deal, here: Standing, created_at_ms: int, part_version: int | None = None
    ) -> OrderRecord | None:
        """Enter an order at home, after the platform's part if it has one; *part_version* is None if that is made."""
        order_id = OrderId(order.order_id)
        home, rulebook = home_of(order_id), self.rulebook(deal.platform)
        outcome = submit(order_id, order.viewer_id, deal.quote, deal.assets, here.now_ms, rulebook=rulebook)
        parts = parts_of(
            outcome,
            deal.assets,
            kind=OrderKind.SUBMIT,
            transfer_id=f"submit:{order_id}",
            home=home,
            merchant_id=deal.merchant_id,
        )
        record = OrderRecord(outcome.order, outcome.assets, deal, here.version + 1, created_at_ms)
        split = home != PLATFORM and PLATFORM in parts
        if (
            split
            and part_version is not None
            and await self._parts.hold(record, parts[PLATFORM], part_version) != b"done"
        ):
            return None
        step = OrderStep(
            parts[home],
            order.viewer_id,
            record.fields(),
            here.version,
            here.now_ms,
            decided_until(deal.assets, here.now_ms),
            created_at_ms + rulebook.order_unpaid_max_ms,
            created_at_ms,
            asked=f"submit:{order_id}:{deal.asked}",
        )
        if await commit(self._store, step) == b"done":
            return record
        if split:
            await self._parts.catch_up(order_id)
        return None

    async def _decided(
        self, order_id: OrderId, asked: Submission, now_ms: int
    ) -> tuple[StepOutcome, list[Asset]] | None:
        """
        Return the order as the core submits it at *now_ms*, and the packets it uses as they were.

        None if the order itself has locked one of them: another process has made it since we looked.
        """
        rulebook = self.rulebook(asked.platform)
        if asked.asset_ids is None:
            held = await self._assets.of_viewer(asked.viewer_id, [home_of(order_id), PLATFORM])
            quote_of = best_quote
        else:
            held = await self._assets.named(asked.viewer_id, asked.asset_ids)
            quote_of = exact_quote
        assets = [each.asset for each in held]
        if any(asset.order_id == order_id for asset in assets):
            return None
        quote, choice = quote_of(asked.purchase, asked.discounts, assets, now_ms, rulebook)
        if asked.expected_payable_fen not in (None, quote.payable_fen):
            raise Refused("price_changed", f"it costs {quote.payable_fen} fen now", field="expected_payable_fen")
        used = [asset for asset, _ in choice.used]
        return submit(order_id, asked.viewer_id, quote, used, now_ms, rulebook=rulebook), used

    async def _now_ms(self, creator_id: CreatorId) -> int:
        await self._clock.copy_to(creator_id)
        async with self._store.redis.pipeline(transaction=False) as together:
            together.time()
            together.hmget(keys.clock_of(creator_id), "origin_ms", "started_ms", "speed")
            time, clock = await together.execute()
        return room_ms_of(time, clock)


def _still_good(part: PartRecord, asked: Submission, now_ms: int) -> bool:
    """Say whether a part was made for this very submission and its order can still be entered at home."""
    return part.deal.asked == asked.digest() and not any(asset.expired_at(now_ms) for asset in part.deal.assets)


def home_for(purchase: Purchase, asset_ids: Sequence[str]) -> CreatorId:
    """Return the home of an order that uses these packets: their creator, else its lines', else the platform."""
    of_packets = [creator_of(packet_of_claim(ClaimId(asset_id))) for asset_id in asset_ids]
    of_lines = [line.creator_id for line in purchase.lines if line.creator_id is not None]
    return next((each for each in (*of_packets, *of_lines) if each != PLATFORM), PLATFORM)


def _plain(value: Any) -> Any:
    """Return frozen data as JSON has it, sets in order: the same text in every process."""
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value
