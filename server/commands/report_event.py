"""Append an event to an order's trail; if it is shown, it is published to the buyer's connections at once (LT-3)."""

from server.commands.context import CommandContext
from server.core.orders.trail import ServiceMessage, TrailEvent


async def report_event(at: CommandContext, event: TrailEvent) -> bool:
    """
    Append the event, once per event id, and return whether it is shown (LT-4, LT-6); the order stays as it is (LT-5).

    Raises Refused: not_found, event_conflict, trail_full.
    """
    trail, news = await at.trails.append(event)
    shown = event in trail.timeline(await at.trails.integrated())
    if news:
        message = ServiceMessage(trail.viewer_id, trail.order_id, event.step, event.occurred_at_ms)
        await at.gateway.trail_grew(message if shown else None)
    return shown
