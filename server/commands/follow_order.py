"""
The platform's part of an order: its packets are locked before home's, and then follow home's decisions.

The part is created first (``hold_part``), with the whole agreement: a retry then only has to enter the order at home.
If the order is not completed, or the process dies, home first gets a record of that, which makes every earlier decision
to submit fail, and only then the part releases its packets. Home records each later decision for the part in the same
step; the part carries each out once, in order.
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

PART_WAIT_REAL_MS = 30_000  # until the sweeper checks the other tag; no living process takes as long
TRIES_MAX = REFUNDS_MAX + 20  # a try fails only because of another process's step, and there are fewer of those


def part_wait_ms(at: CommandContext) -> int:
    """Return how long, in room ms, the sweeper waits before it checks the other tag."""
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
    Bring the part up to date with home: it follows an existing order, and is released if the order was never made.

    Raises Refused ``raced`` if concurrent changes continue.
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
    """Record at home that the order was abandoned, so that no earlier decision to submit can be committed."""
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
    """Carry out the steps that home has recorded for the part, and return the part afterwards. Raises Raced."""
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
