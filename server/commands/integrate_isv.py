"""Integrate an ISV, or end it: what it has reported before is shown from then on, and published then (LT-4, AMB-49)."""

from server.commands.context import CommandContext
from server.commands.report_event import untold


async def integrate_isv(at: CommandContext, isv_id: str, *, integrated: bool) -> None:
    """
    Set whether an ISV is integrated. Ending it hides nothing that was shown.

    Each waiting order is taken once, so that of several callers one publishes it. Raises Refused: too_many.
    """
    await at.trails.integrate(isv_id, integrated=integrated)
    while integrated and (waiting := await at.trails.take_waiting(isv_id)):
        for order_id in waiting:
            trail, now_integrated = await at.trails.view(order_id)
            shown = [each for each in trail.timeline(now_integrated) if each.source == isv_id]
            for message in await untold(at, order_id, trail, shown):
                await at.gateway.trail_shown(message)
