"""
The platform's part of an order: its packets are locked before home's are, and then follow whatever home has decided.

A part is made first (``hold_part``), with all that was agreed: who asks for the same order again then only has to enter
it at home. If the order comes to nothing, or the process dies, home gets a record that says so, which no submit decided
before can pass, and only then the part lets its packets go. What home decides later it writes down for the part in the
same step; the part carries that out once each, in order, as often as it is asked.
"""

from dataclasses import replace

from server.commands.context import CommandContext
from server.commands.retry import decided
from server.core.ids import PLATFORM, OrderId, home_of
from server.core.money.posting import OrderKind, StepPart, parts_of
from server.core.orders.following import follow
from server.core.orders.order import REFUNDS_MAX, cancel
from server.core.orders.order_stats import OrderStats
from server.store.orders.commit import OrderStep, decided_until
from server.store.orders.order_record import HELD, RELEASED, OrderRecord, PartRecord, Standing, abandoned_fields
from server.store.orders.orders import raced_order

PART_WAIT_REAL_MS = 30_000  # until the sweeper looks whether the other tag was told; no living process takes as long
TRIES_MAX = REFUNDS_MAX + 20  # a try is lost only to a step that another process has made: there are not as many


def part_wait_ms(at: CommandContext) -> int:
    """Return how long, in room ms, the other tag is given before the sweeper looks after it."""
    return PART_WAIT_REAL_MS * max(1, at.clock.record.speed)


async def hold_part(at: CommandContext, record: OrderRecord, part: StepPart, version: int) -> None:
    """Lock the platform's packets for an order about to be submitted, on *version* of the part. Raises Raced."""
    now_ms = record.created_at_ms
    assets = tuple(asset for asset in record.assets if asset.creator_id is None)
    held = PartRecord(record.order, assets, record.deal, HELD, version, now_ms, home_version=record.version - 1)
    todo = replace(part, transfer_id=f"hold:{part.order_id}:{version + 1}")
    step = _step(held, todo, now_ms, decided_until(assets, now_ms))
    await at.orders.commit(replace(step, due_at_ms=now_ms + part_wait_ms(at)))


async def follow_order(at: CommandContext, order_id: OrderId) -> None:
    """
    Bring the part to where home is: it follows a living order, and is let go if the order never came to be.

    Raises Refused ``raced`` if others keep coming in between.
    """

    async def attempt() -> None:
        here = await at.orders.standing(PLATFORM, order_id)
        part = here.part
        if part is None:
            return
        home = await at.orders.standing(home_of(order_id), order_id)
        if (record := home.order) is not None:
            part = await _follow(at, record, part, here.now_ms)
        elif part.state == HELD:
            if home.version == part.home_version:
                await _abandon(at, home, part)
            await _release(at, part, here.now_ms)
            return
        await at.orders.look_again(PLATFORM, order_id, part.version, None)

    await decided(attempt, tries=TRIES_MAX, give_up=raced_order())


async def _abandon(at: CommandContext, home: Standing, part: PartRecord) -> None:
    """Write at home that the order never came to be, so that no submit decided before this can come through."""
    nothing = StepPart(OrderKind.CANCEL, "", home_of(part.order_id), part.order_id)
    fields = abandoned_fields(part.order_id, part.order.viewer_id, part.created_at_ms)
    await at.orders.commit(OrderStep(nothing, part.order.viewer_id, fields, home.version, home.now_ms))


async def _release(at: CommandContext, part: PartRecord, now_ms: int) -> None:
    outcome = cancel(part.order, part.assets, now_ms, at.rulebook(part.deal.platform))
    free = parts_of(
        outcome,
        part.assets,
        kind=OrderKind.CANCEL,
        transfer_id=f"follow:{part.order_id}:released:{part.version}",
        home=home_of(part.order_id),
        merchant_id=part.deal.merchant_id,
    )[PLATFORM]
    after = replace(part, assets=outcome.assets, state=RELEASED)
    await at.orders.commit(_step(after, free, now_ms, decided_until(part.assets, now_ms)))


async def _follow(at: CommandContext, record: OrderRecord, part: PartRecord, now_ms: int) -> PartRecord:
    """Carry out what home has written down for the part since, and return the part as it is then. Raises Raced."""
    delay_ms = at.rulebook(part.deal.platform).reversal_delay_ms
    for each in record.follows:
        if each.version <= part.followed:
            continue
        todo, assets = follow(each, part.order, part.assets, now_ms, delay_ms)
        state = str(record.order.state) if each is record.follows[-1] else part.state
        after = replace(part, assets=assets, followed=each.version, state=state)
        until_ms = decided_until(part.assets, now_ms)
        await at.orders.commit(replace(_step(after, todo, now_ms, until_ms), gains=each.gains))
        part = replace(after, version=part.version + 1)
    return part


def _step(after: PartRecord, part: StepPart, from_ms: int, until_ms: int | None) -> OrderStep:
    asked = f"{part.kind}:{part.order_id}"
    fields, gains = after.fields(), OrderStats()
    return OrderStep(part, after.order.viewer_id, fields, after.version, from_ms, until_ms, asked=asked, gains=gains)
