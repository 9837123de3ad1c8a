"""
The platform's part of an order: its packets are locked before home's are, and then follow whatever home has decided.

A part is made first (``hold``), with all that was agreed: who asks for the same order again then only has to enter it
at home. If the order comes to nothing, or the process dies, home gets a record that says so, which no submit decided
before can pass, and only then the part lets its packets go. What home decides later it writes down for the part in the
same step; the part carries that out once each, in order, as often as it is asked.
"""

from collections.abc import Mapping
from dataclasses import replace

from server.core.ids import PLATFORM, OrderId, home_of, packet_of_claim
from server.core.money.account import AccountKind, account
from server.core.money.posting import OrderKind, Posting, Reversal, StepPart, merged, parts_of
from server.core.orders.asset import Asset, AssetState
from server.core.orders.order import REFUNDS_MAX, cancel
from server.core.orders.order_stats import OrderStats
from server.core.refusal import Refused
from server.core.rulebooks.platforms import rulebook_of
from server.core.rulebooks.rulebook import Rulebook
from server.store.clock import StoreClock
from server.store.connection import Store
from server.store.orders.commit import OrderStep, commit, decided_until, look_again
from server.store.orders.order_record import (
    HELD,
    RELEASED,
    FollowedStep,
    OrderRecord,
    PartRecord,
    Standing,
    abandoned_fields,
    in_state,
    standing,
)

PART_WAIT_REAL_MS = 30_000  # until the sweeper looks whether the other tag was told; no living process takes as long
TRIES_MAX = REFUNDS_MAX + 20  # a try is lost only to a step that another process has made: there are not as many


class PlatformParts:
    """The platform's parts of all orders whose home is elsewhere."""

    def __init__(self, store: Store, clock: StoreClock, rulebooks: Mapping[str, Rulebook]) -> None:
        self._store = store
        self._clock = clock
        self._rulebooks = rulebooks

    @property
    def wait_ms(self) -> int:
        """How long, in room ms, the other tag is given before the sweeper looks after it."""
        return PART_WAIT_REAL_MS * max(1, self._clock.record.speed)

    async def standing(self, order_id: OrderId) -> Standing:
        """Read what the platform's tag has of an order."""
        await self._clock.copy_to(PLATFORM)
        return await standing(self._store, PLATFORM, order_id)

    async def hold(self, record: OrderRecord, part: StepPart, version: int) -> bytes:
        """Lock the platform's packets for an order about to be submitted; *version* is that of the part so far."""
        now_ms = record.created_at_ms
        assets = tuple(asset for asset in record.assets if asset.creator_id is None)
        held = PartRecord(record.order, assets, record.deal, HELD, version, now_ms, home_version=record.version - 1)
        return await self._commit(
            held,
            replace(part, transfer_id=f"hold:{part.order_id}:{version + 1}"),
            from_ms=now_ms,
            due_at_ms=now_ms + self.wait_ms,
        )

    async def catch_up(self, order_id: OrderId) -> None:
        """
        Bring the part to where home is: it follows a living order, and is let go if the order never came to be.

        Raises Refused ``raced`` if others keep coming in between.
        """
        for _ in range(TRIES_MAX):
            here = await self.standing(order_id)
            part = here.part
            if part is None:
                return
            home = await standing(self._store, home_of(order_id), order_id)
            record = home.order
            if record is not None:
                if await self._follow(record, part, here.now_ms):
                    return
            elif part.state != HELD:
                await look_again(self._store, _nothing(part.order_id), part.version, None)
                return
            elif home.version == part.home_version and not await self._abandon(home, part):
                continue
            elif await self._release(part, here.now_ms):
                return
        raise Refused("raced", "others keep changing this order", field="order_id")

    async def _abandon(self, home: Standing, part: PartRecord) -> bool:
        """Write at home that the order never came to be, so that no submit decided before this can come through."""
        await self._clock.copy_to(home_of(part.order_id))
        step = OrderStep(
            StepPart(OrderKind.CANCEL, "", home_of(part.order_id), part.order_id),
            part.order.viewer_id,
            abandoned_fields(part.order_id, part.order.viewer_id, part.created_at_ms),
            home.version,
            home.now_ms,
        )
        return await commit(self._store, step) == b"done"

    async def _release(self, part: PartRecord, now_ms: int) -> bool:
        rulebook = rulebook_of(self._rulebooks, part.deal.platform)
        outcome = cancel(part.order, part.assets, now_ms, rulebook)
        free = parts_of(
            outcome,
            part.assets,
            kind=OrderKind.CANCEL,
            transfer_id=f"follow:{part.order_id}:released:{part.version}",
            home=home_of(part.order_id),
            merchant_id=part.deal.merchant_id,
        )[PLATFORM]
        after = replace(part, assets=outcome.assets, state=RELEASED)
        until_ms = decided_until(part.assets, now_ms)
        return await self._commit(after, free, from_ms=now_ms, until_ms=until_ms) == b"done"

    async def _follow(self, record: OrderRecord, part: PartRecord, now_ms: int) -> bool:
        """Carry out what home has written down for the part since; say whether nobody came in between."""
        rulebook = rulebook_of(self._rulebooks, part.deal.platform)
        for each in record.follows:
            if each.version <= part.followed:
                continue
            todo, assets = _as_of(each, part, now_ms, rulebook.reversal_delay_ms)
            state = str(record.order.state) if each is record.follows[-1] else part.state
            after = replace(part, assets=assets, followed=each.version, state=state)
            until_ms = decided_until(part.assets, now_ms)
            outcome = await self._commit(after, todo, from_ms=now_ms, until_ms=until_ms, gains=each.gains)
            if outcome != b"done":
                return False
            part = replace(after, version=part.version + 1)
        await look_again(self._store, _nothing(part.order_id), part.version, None)
        return True

    async def _commit(
        self,
        after: PartRecord,
        part: StepPart,
        *,
        from_ms: int,
        until_ms: int | None = None,
        due_at_ms: int | None = None,
        gains: OrderStats | None = None,
    ) -> bytes:
        step = OrderStep(
            part,
            after.order.viewer_id,
            after.fields(),
            after.version,
            from_ms,
            until_ms if due_at_ms is None else decided_until(after.assets, from_ms),
            due_at_ms,
            asked=f"{part.kind}:{part.order_id}",
            gains=gains or OrderStats(),
        )
        return await commit(self._store, step)


def _nothing(order_id: OrderId) -> StepPart:
    return StepPart(OrderKind.FOLLOW, "", PLATFORM, order_id)


def _as_of(followed: FollowedStep, part: PartRecord, now_ms: int, delay_ms: int) -> tuple[StepPart, tuple[Asset, ...]]:
    """
    Return what a part does to follow a step of home's at *now_ms*, and its packets then.

    A packet that home gave back to the viewer in time, but whose validity is over by now, goes to the platform: the
    sweeper, which has passed it while an order held it, would not find it any more (AMB-26).
    """
    by_id = {asset.asset_id: asset for asset in part.assets}
    postings, reversals, changes = list(followed.part.postings), list(followed.part.reversals), []
    for change in followed.part.changes:
        asset, after = by_id[change.asset_id], change.after
        if after is AssetState.AVAILABLE and asset.expired_at(now_ms):
            after = AssetState.EXPIRED_RETURNED
            packet_id = packet_of_claim(change.asset_id)
            held = account(AccountKind(change.before), packet_id)
            postings.append(Posting(held, account(AccountKind.ASSETS, packet_id), -change.face_fen))
            postings.append(Posting(held, account(AccountKind.REVERSING, PLATFORM), change.face_fen))
            key = f"follow:{part.order_id}:{followed.version}:{change.asset_id}"
            reversals.append(Reversal(key, packet_id, change.face_fen, now_ms + delay_ms))
        changes.append(change._replace(after=after))
        by_id[change.asset_id] = in_state(asset, after, part.order)
    todo = replace(
        followed.part,
        kind=OrderKind.FOLLOW,
        transfer_id=f"follow:{part.order_id}:{followed.version}",
        postings=tuple(posting for posting in merged(postings) if posting.amount_fen > 0),
        changes=tuple(changes),
        reversals=tuple(reversals),
    )
    return todo, tuple(by_id[asset.asset_id] for asset in part.assets)
