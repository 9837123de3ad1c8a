"""The logistics trail: any subset in any order, in the product's words, without effect on the order."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.ids import OrderId, ViewerId
from server.core.orders.order import Order
from server.core.orders.stacking import best_quote
from server.core.orders.trail import (
    BEFORE_SHIPPING,
    EVENTS_OF_ORDER_MAX,
    INSTANT_MS_MAX,
    PLATFORM,
    Trail,
    TrailEvent,
    TrailStep,
    check_instant,
    checked_event,
    checked_isv_id,
)
from server.core.refusal import Refused
from server.core.rulebooks.platforms import DOUYIN
from tests.core.shopping import ANNA, NOW, a_purchase

ORDER = OrderId("o1")
WMS = "wms"
INTEGRATED = frozenset({WMS})
SUBMITTED = Order(ORDER, ANNA, best_quote(a_purchase(1_000), (), (), NOW, DOUYIN)[0], ())
TEN = 1_699_927_200_000  # ten o'clock
MINUTE_MS = 60_000

VECTOR = [("paid", 0), ("accepted", 5), ("waybill_printed", 20), ("picking", 10), ("packed", 30), ("accepted", 5)]


def event(step: str, minute: int, *, source: str = "", event_id: str = "") -> TrailEvent:
    """Return an event of *minute* past ten, from who usually says it, with an id of its own kind."""
    return checked_event(
        order_id=ORDER,
        step=step,
        occurred_at_ms=TEN + minute * MINUTE_MS,
        source=source or (PLATFORM if step == TrailStep.PAID else WMS),
        event_id=event_id or step,
    )


def trail_of(*events: TrailEvent) -> Trail:
    trail = Trail(ORDER, ViewerId("vera"))
    for each in events:
        trail.append(each)
    return trail


def steps(trail: Trail, integrated: frozenset[str] = INTEGRATED) -> list[TrailStep]:
    return [each.step for each in trail.timeline(integrated)]


@pytest.mark.rule("LT-6")
@pytest.mark.rule("LT-5")
def test_the_vector_of_the_rules() -> None:
    """a, b, e, c, f and b once more: five of six, in order of time; what is missing is no error."""
    trail = trail_of(*(event(step, minute) for step, minute in VECTOR))
    assert steps(trail) == ["paid", "accepted", "picking", "waybill_printed", "packed"]
    assert trail.missing(INTEGRATED) == [TrailStep.PICKED]

    without_a = trail_of(*(event(step, minute) for step, minute in VECTOR[1:]))
    assert without_a.missing(INTEGRATED) == [TrailStep.PAID, TrailStep.PICKED]


@pytest.mark.parametrize(
    ("step", "label", "text"),
    [
        pytest.param("paid", "已支付", "商品已下单，正在配货中", marks=pytest.mark.rule("LT-a")),
        pytest.param("accepted", "已接单", "商家已接单", marks=pytest.mark.rule("LT-b")),
        pytest.param("picking", "商家拣货中", "商家正在抓紧拣货中", marks=pytest.mark.rule("LT-c")),
        pytest.param("picked", "拣货已完成", "您的商品已拣货完成，等待打包发货", marks=pytest.mark.rule("LT-d")),
        pytest.param("waybill_printed", "订单已打印", "商家已打印快递单", marks=pytest.mark.rule("LT-e")),
        pytest.param("packed", "打包已完成", "您的商品已打包完成", marks=pytest.mark.rule("LT-f")),
        pytest.param("shipped", "已发货", "已发货", marks=pytest.mark.rule("LT-1")),
    ],
)
def test_a_step_is_told_in_the_words_of_the_source(step: str, label: str, text: str) -> None:
    """Name and text are the product's own."""
    assert (TrailStep(step).label, TrailStep(step).text) == (label, text)


@pytest.mark.rule("LT-1")
def test_six_steps_are_shown_before_the_shipping() -> None:
    """A trail begins with the payment, before the shipping."""
    trail = trail_of(*(event(step, minute) for minute, step in enumerate(TrailStep)))
    assert steps(trail) == ["paid", "accepted", "picking", "picked", "waybill_printed", "packed", "shipped"]
    assert trail.missing(INTEGRATED) == []
    assert len(BEFORE_SHIPPING) == 6


@pytest.mark.rule("AMB-20")
def test_of_one_instant_the_rank_decides_and_of_two_the_time() -> None:
    """A warehouse may print before it picks; only within one millisecond is there an order of steps."""
    assert steps(trail_of(event("waybill_printed", 1), event("picked", 2))) == ["waybill_printed", "picked"]
    for arrival in permutations(TrailStep, 3):
        assert steps(trail_of(*(event(step, 0) for step in arrival))) == sorted(arrival, key=list(TrailStep).index)


@pytest.mark.rule("LT-2")
def test_each_step_is_shown_once_by_its_earliest_event() -> None:
    """An earlier one that comes later takes its place; of those the buyer does not see, none counts (AMB-49)."""
    first, second, third = event("picking", 2, event_id="a"), event("picking", 1, event_id="b"), event("picking", 3)
    for arrival in permutations((first, second, third)):
        assert trail_of(*arrival).timeline(INTEGRATED) == [second]
    hidden = event("picking", 0, source="other", event_id="c")
    trail = trail_of(first, hidden)
    assert trail.timeline(INTEGRATED) == [first]
    assert trail.timeline(INTEGRATED | {"other"}) == [hidden]
    assert len(trail.missing(INTEGRATED)) == 5


@pytest.mark.rule("LT-4")
def test_what_was_shown_stays_shown() -> None:
    """The end of an integration hides no event that came before it (AMB-49)."""
    trail = Trail(ORDER, ViewerId("vera"))
    trail.append(event("accepted", 1), kept=True)
    trail.append(event("picking", 2))
    assert steps(trail, frozenset()) == ["accepted"]
    assert steps(trail, INTEGRATED) == ["accepted", "picking"]


@pytest.mark.rule("LT-4")
def test_of_an_isv_that_is_not_integrated_nothing_is_shown() -> None:
    """Its reports are kept, and shown from the day on; what the platform says, and the shipping, are shown before."""
    trail = trail_of(event("paid", 0), event("accepted", 1), event("packed", 2, source="other"), event("shipped", 3))
    assert steps(trail, frozenset()) == ["paid", "shipped"]
    assert len(trail.missing(frozenset())) == 5
    assert steps(trail, INTEGRATED) == ["paid", "accepted", "shipped"]
    assert steps(trail, INTEGRATED | {"other"}) == ["paid", "accepted", "packed", "shipped"]


@pytest.mark.rule("LT-6")
def test_what_is_dated_after_the_shipping_is_hidden() -> None:
    """At the instant of the shipping it is still shown, and before it; with two parcels the first counts."""
    trail = trail_of(event("accepted", 1), event("packed", 5), event("picked", 6), event("shipped", 5))
    assert steps(trail) == ["accepted", "packed", "shipped"]
    trail.append(event("shipped", 3, event_id="another parcel"[:7]))
    assert steps(trail) == ["accepted", "shipped"]


@pytest.mark.rule("LT-6")
@pytest.mark.parametrize(("step", "source"), [("paid", WMS), *((step, PLATFORM) for step in BEFORE_SHIPPING[1:])])
def test_the_platform_says_paid_and_isvs_the_rest(step: str, source: str) -> None:
    """Each step has its sender; only the shipping may come from either."""
    with pytest.raises(Refused) as refused:
        event(step, 0, source=source)
    assert (refused.value.code, refused.value.field, refused.value.rule) == ("wrong_source", "source", "LT-6")
    for either in (PLATFORM, WMS):
        assert event("shipped", 0, source=either).source == either


@pytest.mark.parametrize(
    ("changes", "code", "field", "rule"),
    [
        ({"step": "lost"}, "unknown_step", "type", "LT-6"),
        ({"step": "PAID"}, "unknown_step", "type", "LT-6"),
        ({"step": ""}, "unknown_step", "type", "LT-6"),
        ({"occurred_at_ms": 0}, "out_of_range", "occurred_at_ms", ""),
        ({"occurred_at_ms": -1}, "out_of_range", "occurred_at_ms", ""),
        ({"occurred_at_ms": INSTANT_MS_MAX + 1}, "out_of_range", "occurred_at_ms", ""),
        ({"event_id": ""}, "bad_id", "event_id", ""),
        ({"event_id": "a:b"}, "bad_id", "event_id", ""),
        ({"event_id": "x" * 37}, "bad_id", "event_id", ""),
        ({"source": ""}, "bad_id", "source", ""),
        ({"source": "a:b"}, "bad_id", "source", ""),
    ],
)
def test_what_is_no_event_is_refused(changes: dict[str, object], code: str, field: str, rule: str) -> None:
    """Each slip has a code and names its field."""
    said: dict[str, object] = {"step": "packed", "occurred_at_ms": INSTANT_MS_MAX, "source": WMS, "event_id": "e"}
    assert checked_event(order_id=ORDER, **said).step is TrailStep.PACKED  # type: ignore[arg-type]
    with pytest.raises(Refused) as refused:
        checked_event(order_id=ORDER, **{**said, **changes})  # type: ignore[arg-type]
    assert (refused.value.code, refused.value.field, refused.value.rule) == (code, field, rule)


@pytest.mark.rule("LT-6")
@pytest.mark.parametrize(
    ("step", "minute", "paid", "elsewhere", "problem"),
    [
        ("accepted", 5, 0, False, ""),
        ("accepted", 6, 0, False, "at most 5 room minutes ahead"),
        ("shipped", 6, 0, True, "at most 5 room minutes ahead"),
        ("paid", 6, None, True, "at most 5 room minutes ahead"),
        ("accepted", -60, -60, False, ""),
        ("accepted", -61, -60, False, "must not be before the order was paid"),
        ("shipped", -61, -60, False, "must not be before the order was paid"),
        ("paid", -61, -60, False, "must not be before the order was paid"),
        ("accepted", 0, None, False, "must not be before the order is paid, which it is not"),
        ("accepted", -61, -60, True, "must not be before the order was paid"),
        ("paid", -61, -60, True, ""),  # only its trail knows when such an order was paid
        ("accepted", -999, None, True, ""),
    ],
)
def test_an_instant_is_neither_far_ahead_nor_before_the_payment(
    step: str, minute: int, paid: int | None, elsewhere: bool, problem: str
) -> None:
    """Five room minutes ahead are accepted, and the instant of the payment itself; late reports always (AMB-49)."""
    paid_at_ms = None if paid is None else TEN + paid * MINUTE_MS
    trail = trail_of() if paid is None or not elsewhere else trail_of(event("paid", paid, event_id="first"))
    order = None if elsewhere else replace(SUBMITTED, paid_at_ms=paid_at_ms)
    if not problem:
        check_instant(event(step, minute), trail, TEN, order=order)
        return
    with pytest.raises(Refused, match=problem) as refused:
        check_instant(event(step, minute), trail, TEN, order=order)
    assert (refused.value.code, refused.value.field, refused.value.rule) == ("bad_field", "occurred_at_ms", "LT-6")


@pytest.mark.parametrize(("text", "code"), [("", "bad_id"), ("a b", "bad_id"), (PLATFORM, "wrong_source")])
def test_not_every_text_names_an_isv(text: str, code: str) -> None:
    """Above all the platform is none."""
    assert checked_isv_id(WMS) == WMS
    with pytest.raises(Refused) as refused:
        checked_isv_id(text)
    assert refused.value.code == code


@pytest.mark.rule("LT-6")
@pytest.mark.parametrize(
    "other",
    [event("picked", 1, event_id="e"), event("packed", 2, event_id="e"), event("packed", 1, source="x", event_id="e")],
)
def test_an_id_stands_for_one_event(other: TrailEvent) -> None:
    """With another step, instant or sender it is refused, and the first one stays."""
    trail = trail_of(event("packed", 1, event_id="e"))
    with pytest.raises(Refused) as refused:
        trail.append(other)
    assert (refused.value.code, refused.value.rule) == ("event_conflict", "LT-6")
    assert trail.timeline(INTEGRATED) == [event("packed", 1, event_id="e")]


def test_a_trail_has_an_end() -> None:
    """Past its bound an event is refused, and a repetition still answered."""
    trail = trail_of(*(event("picking", n, event_id=f"e{n}") for n in range(EVENTS_OF_ORDER_MAX)))
    assert trail.append(event("picking", 0, event_id="e0")) is False
    with pytest.raises(Refused) as refused:
        trail.append(event("picking", 0, event_id="more"))
    assert refused.value.code == "trail_full"
    assert trail.timeline(INTEGRATED) == [event("picking", 0, event_id="e0")]


EVENTS = st.lists(
    st.builds(
        lambda step, minute, number, isv: event(
            step, minute, source=PLATFORM if step is TrailStep.PAID else isv, event_id=f"{step}-{minute}-{isv}-{number}"
        ),
        st.sampled_from(TrailStep),
        st.integers(0, 5),
        st.integers(0, 1),
        st.sampled_from([WMS, "other"]),
    ),
    max_size=20,
)


@pytest.mark.rule("LT-6")
@pytest.mark.rule("LT-5")
@given(st.data(), EVENTS)
def test_any_subset_in_any_order_with_any_repetition(data: st.DataObject, events: list[TrailEvent]) -> None:
    """The timeline depends on which events there are, and on nothing else; it is sorted, and shows what it may."""
    again = data.draw(st.lists(st.sampled_from(events), max_size=10)) if events else []
    arrival = data.draw(st.permutations(events + again))
    trail = trail_of(*arrival)
    shown = trail.timeline(INTEGRATED)

    assert shown == trail_of(*events).timeline(INTEGRATED)
    assert len({each.event_id for each in shown}) == len(shown)
    assert shown == sorted(
        shown, key=lambda each: (each.occurred_at_ms, list(TrailStep).index(each.step), each.event_id)
    )
    shipped = [each.occurred_at_ms for each in events if each.step is TrailStep.SHIPPED]
    earliest: dict[TrailStep, int] = {}
    for each in events:
        late = bool(shipped) and each.occurred_at_ms > min(shipped)
        known = each.source in (PLATFORM, WMS)
        if each.step is TrailStep.SHIPPED or (known and not late):
            earliest[each.step] = min(each.occurred_at_ms, earliest.get(each.step, each.occurred_at_ms))
    assert {each.step: each.occurred_at_ms for each in shown} == earliest
    assert len(shown) == len(earliest)
    assert set(trail.missing(INTEGRATED)) == set(BEFORE_SHIPPING) - {each.step for each in shown}
