"""Reporting an event: it is published to the buyer once if it is shown, otherwise not."""

import pytest

from server.commands.context import CommandContext
from server.commands.pay_order import pay_order
from server.commands.report_event import report_event
from server.core.ids import OrderId, ViewerId
from server.core.orders.trail import AHEAD_MAX_MS, ServiceMessage, TrailEvent, TrailStep
from server.core.refusal import Refused
from tests.commands.ground import Host, context_of
from tests.core.orders.test_trail import event
from tests.store.shop import ANNA, START_MS, Shop

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


@pytest.mark.rule("LT-3")
@pytest.mark.rule("LT-6")
async def test_a_step_is_told_once_whatever_comes_later(at: CommandContext, host: Host) -> None:
    """An earlier report that comes later changes the timeline and is not published again (AMB-49)."""
    await at.trails.open(ORDER, ANN, None)
    for isv_id in ("wms", "other"):
        await at.trails.integrate(isv_id, integrated=True)
    first, earlier = event("picking", 3), event("picking", 2, source="other", event_id="b")
    assert [await report_event(at, each) for each in (first, earlier, event("picking", 4, event_id="c"))] == [
        *(True, True, False),
    ]
    assert (await at.trails.get(ORDER)).timeline(await at.trails.integrated()) == [earlier]
    assert host.told == [ServiceMessage(ANN, ORDER, TrailStep.PICKING, first.occurred_at_ms), None, None]


@pytest.mark.rule("LT-6")
async def test_an_event_is_dated_after_the_payment_and_not_far_ahead(shop: Shop, host: Host) -> None:
    """An order of ours says when it was paid; what is refused is not kept, and a repetition is answered (AMB-49)."""
    at = context_of(shop.store, shop.clock, host=host)
    order_id = (await shop.submit()).order_id
    await shop.at(START_MS)
    await at.trails.open(order_id, ANNA, None)

    def accepted(at_ms: int) -> TrailEvent:
        return TrailEvent(order_id, TrailStep.ACCEPTED, at_ms, "wms", "e")

    with pytest.raises(Refused, match="which it is not"):
        await report_event(at, accepted(START_MS))
    await pay_order(at, order_id, "p")
    for at_ms in (START_MS - 1, START_MS + AHEAD_MAX_MS + 1):
        with pytest.raises(Refused) as refused:
            await report_event(at, accepted(at_ms))
        assert (refused.value.code, refused.value.field) == ("bad_field", "occurred_at_ms")
    ahead = accepted(START_MS + AHEAD_MAX_MS)
    assert [await report_event(at, ahead) for _ in range(2)] == [False, False]
    assert [each.step for each in (await at.trails.get(order_id)).timeline({"wms"})] == ["paid", "accepted"]


async def test_an_event_needs_a_trail(at: CommandContext, host: Host) -> None:
    """An order without a trail publishes nothing."""
    with pytest.raises(Refused) as refused:
        await report_event(at, event("accepted", 1))
    assert (refused.value.code, host.told) == ("not_found", [])
