"""Reporting an event: it is published to the buyer once if it is shown, otherwise not."""

import pytest

from server.commands.context import CommandContext
from server.commands.report_event import report_event
from server.core.ids import OrderId, ViewerId
from server.core.orders.trail import ServiceMessage, TrailStep
from server.core.refusal import Refused
from tests.commands.ground import Host
from tests.core.orders.test_trail import event

ORDER, ANN = OrderId("o1"), ViewerId("ann")


@pytest.mark.rule("LT-3")
@pytest.mark.rule("LT-4")
@pytest.mark.rule("LT-6")
async def test_what_is_shown_is_told_once(at: CommandContext, host: Host) -> None:
    """An ISV's report is stored and counted, but neither shown nor published before the ISV is integrated."""
    await at.trails.open(ORDER, ANN, None)
    early, late = event("accepted", 1), event("packed", 2)
    for _ in range(2):
        assert not await report_event(at, early)
    await at.trails.integrate("wms", integrated=True)
    for _ in range(2):
        assert await report_event(at, late)
    assert await report_event(at, early)
    assert host.told == [None, ServiceMessage(ANN, ORDER, TrailStep.PACKED, late.occurred_at_ms)]


async def test_an_event_needs_a_trail(at: CommandContext, host: Host) -> None:
    """An order without a trail publishes nothing."""
    with pytest.raises(Refused) as refused:
        await report_event(at, event("accepted", 1))
    assert (refused.value.code, host.told) == ("not_found", [])
