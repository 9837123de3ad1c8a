"""
Append an event to an order's trail; what it brings to the buyer's view is published to its connections at once (LT-3).

Each step is published once, whatever is reported of it later (AMB-49).
"""

import contextlib

from server.commands.context import CommandContext
from server.core.ids import OrderId
from server.core.orders.inbox import of_trail
from server.core.orders.trail import PLATFORM, ServiceMessage, Trail, TrailEvent, TrailStep, check_instant
from server.store.connection import StoreUnavailable


async def report_event(at: CommandContext, event: TrailEvent) -> bool:
    """
    Append a reported event, once per event id, and return whether it is shown (LT-4, LT-6).

    The order stays as it is (LT-5). A repetition gets the first answer. Raises Refused: not_found, bad_field,
    event_conflict, trail_full.
    """
    trail = await at.trails.get(event.order_id)
    if not trail.has(event):
        check_instant(event, trail, at.clock.room_ms(), order=await at.orders.find(event.order_id))
    return await append_event(at, event)


async def append_event(at: CommandContext, event: TrailEvent) -> bool:
    """Append an event that the platform itself vouches for, as ``report_event`` does."""
    trail, news, integrated = await at.trails.append(event)
    hidden = event.step is not TrailStep.SHIPPED and event.source not in (PLATFORM, *integrated)
    if news and hidden and not await at.trails.wait(event.source, event.order_id):
        trail, integrated = await at.trails.view(event.order_id)
    timeline = trail.timeline(integrated)
    if news:
        shown = [each for each in timeline if each.step is event.step]
        messages = await untold(at, event.order_id, trail, shown)
        await at.gateway.trail_grew(messages[0] if messages else None)
    return event in timeline


async def untold(at: CommandContext, order_id: OrderId, trail: Trail, shown: list[TrailEvent]) -> list[ServiceMessage]:
    """Return the messages of the steps among *shown* that the buyer was not told, and put them into its inbox."""
    new = await at.trails.tell(order_id, [each.step for each in shown])
    messages = [
        ServiceMessage(trail.viewer_id, order_id, each.step, each.occurred_at_ms) for each in shown if each.step in new
    ]
    with contextlib.suppress(StoreUnavailable):  # the timeline has the steps, and the push still goes
        await at.inboxes.add(trail.viewer_id, map(of_trail, messages))
    return messages
