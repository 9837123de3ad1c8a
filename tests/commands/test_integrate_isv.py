"""Integrating an ISV: what it has reported before is shown and published then, once; an end hides nothing shown."""

import asyncio

import pytest

from server.commands.context import CommandContext
from server.commands.integrate_isv import integrate_isv
from server.commands.report_event import report_event
from server.core.ids import OrderId, ViewerId
from server.core.orders.trail import ServiceMessage, TrailStep
from server.store import keys
from server.store.trail import WAITING_COUNT
from tests.commands.ground import Host
from tests.core.orders.test_trail import event

ORDER, ANN = OrderId("o1"), ViewerId("ann")


async def steps(at: CommandContext) -> list[TrailStep]:
    trail, integrated = await at.trails.view(ORDER)
    return [each.step for each in trail.timeline(integrated)]


def message(step: str, minute: int) -> ServiceMessage:
    return ServiceMessage(ANN, ORDER, TrailStep(step), event(step, minute).occurred_at_ms)


@pytest.mark.rule("LT-4")
async def test_what_came_before_an_integration_is_shown_and_told_then(at: CommandContext, host: Host) -> None:
    """In the order of the timeline, and once, however often the ISV is integrated (AMB-49)."""
    await at.trails.open(ORDER, ANN, None)
    for step, minute in (("packed", 5), ("accepted", 1)):
        assert not await report_event(at, event(step, minute))
    assert (host.told, await steps(at)) == ([None, None], [])
    host.told.clear()
    await asyncio.gather(*(integrate_isv(at, "wms", integrated=True) for _ in range(5)))
    assert await steps(at) == ["accepted", "packed"]
    assert host.told == [message("accepted", 1), message("packed", 5)]
    assert not await at.trails.take_waiting("wms")


@pytest.mark.rule("LT-4")
async def test_the_end_of_an_integration_hides_nothing_shown(at: CommandContext, host: Host) -> None:
    """A report from before the end stays; one from after it waits for the next integration (AMB-49)."""
    await at.trails.open(ORDER, ANN, None)
    await report_event(at, event("accepted", 1))
    for integrated in (True, False):
        await integrate_isv(at, "wms", integrated=integrated)
        assert await steps(at) == ["accepted"]
    assert not await report_event(at, event("picking", 2))
    await integrate_isv(at, "wms", integrated=False)  # it is not integrated, so there is nothing to end
    assert await steps(at) == ["accepted"]
    await integrate_isv(at, "wms", integrated=True)
    assert await steps(at) == ["accepted", "picking"]
    assert [each for each in host.told if each is not None] == [message("accepted", 1), message("picking", 2)]


@pytest.mark.rule("LT-4")
async def test_a_report_that_races_with_the_integration_is_told_once(at: CommandContext, host: Host) -> None:
    """Whichever of both is first, each order's step is shown and told exactly once."""
    orders = [OrderId(f"o{n}") for n in range(WAITING_COUNT + 20)]
    for order_id in orders:
        await at.trails.open(order_id, ANN, None)

    async def report(order_id: OrderId) -> None:
        await report_event(at, event("accepted", 1).__class__(order_id, TrailStep.ACCEPTED, 1, "wms", "e"))

    half = len(orders) // 2
    await asyncio.gather(*map(report, orders[:half]))
    await asyncio.gather(*map(report, orders[half:]), *(integrate_isv(at, "wms", integrated=True) for _ in range(2)))
    told = [each.order_id for each in host.told if each is not None]
    assert sorted(told) == sorted(orders)
    assert await at.trails._store.redis.exists(keys.isv_waiting("wms")) == 0
