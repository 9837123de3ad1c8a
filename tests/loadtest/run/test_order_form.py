"""Order forms say what a buyer has in mind, and exactly what a quote has named."""

from random import Random

from client_sim.buyer import Act, BasketLine, Deed, Errand, Habit, Won
from loadtest.run.order_form import asked_by, discount_forms, order_form, purchase_form, refund_form
from loadtest.scenarios.shop import Shop
from server.api.orders import NewOrder, NewRefund
from server.core.ids import CreatorId, RoomId, ViewerId

SHOP = Shop.model_validate(
    {
        "products": [{"product_id": "tea", "price_fen": 900}],
        "shipping_fen": 300,
        "service_fee_fen": 20,
        "commission_rate": 2_000,
        "service_fee_rate": 500,
        "discounts": [
            {"kind": "full_reduction", "amount_fen": 100, "threshold_fen": 1_000},
            {"kind": "platform_coupon", "pay_permille": 900, "share": 0.5},
        ],
    }
)
WON = Won(ViewerId("v1"), "anna.p0:1", CreatorId("anna"), RoomId("anna-live"), "douyin")
ERRAND = Errand(WON, Habit.PAY, (BasketLine("1", "tea", 900, 2),))
QUOTE = {
    "asset_ids": ["anna.p0:1"],
    "payable_fen": 1_420,
    "shipping_fen": 300,
    "service_fee_fen": 20,
    "lines": [{"line_id": "1", "paid_fen": 1_100}],
}


def test_some_buyers_have_a_coupon() -> None:
    """A discount with a share of one is everybody's, the other that of every second."""
    forms = [discount_forms(SHOP, Random(seed)) for seed in range(400)]
    assert {len(each) for each in forms} == {1, 2}
    assert 150 < sum(len(each) == 2 for each in forms) < 250
    assert len({each["discount_id"] for each in forms[0]}) == len(forms[0])


def test_an_order_is_what_the_api_takes() -> None:
    """All that the shop says stands in it, in the words of the API, which forbids others."""
    both = next(each for seed in range(99) if len(each := discount_forms(SHOP, Random(seed))) == 2)
    order = NewOrder.model_validate(order_form(purchase_form(ERRAND, SHOP, both), QUOTE, SHOP, WON.room_id))
    assert (order.viewer_id, order.platform, order.client, order.room_id) == ("v1", "douyin", "douyin", "anna-live")
    assert (order.commission_rate, order.service_fee_rate, order.merchant_id) == (2_000, 500, "shop")
    assert (order.asset_ids, order.expected_payable_fen) == (["anna.p0:1"], 1_420)
    (line,) = order.purchase().lines
    assert (line.list_fen, line.creator_id, line.entrance) == (1_800, "anna", "live_room")
    assert [each.kind for each in order.promised()] == ["full_reduction", "platform_coupon"]


def test_the_form_is_recorded_as_it_was_asked() -> None:
    """All that the API fills in is null or empty: no flash price, no kind of goods, every line."""
    both = next(each for seed in range(99) if len(each := discount_forms(SHOP, Random(seed))) == 2)
    asked = asked_by(order_form(purchase_form(ERRAND, SHOP, both), QUOTE, SHOP, WON.room_id))
    assert [tuple(line) for line in asked.lines] == [("1", "tea", 900, 2, None, None, "anna", "live_room")]
    reduction, coupon = asked.discounts
    assert tuple(reduction)[1:] == ("full_reduction", 100, None, 1_000, 0, None)
    assert (coupon.kind, coupon.pay_permille, asked.asset_ids) == ("platform_coupon", 900, ("anna.p0:1",))
    assert (asked.merchant_id, asked.commission_rate, asked.shipping_fen) == ("shop", 2_000, 300)


def test_a_refund_is_of_what_was_paid() -> None:
    """Of goods by line, and of shipping and service fee together if the buyer wants these back."""
    order = {"quote": QUOTE, "refunded_by_line": {"1": 100}}
    full = NewRefund.model_validate(refund_form(order, Act(0, Deed.REFUND, "refund-1000", 1000, extras=True)))
    assert (full.refund_id, full.by_line, full.extras_fen) == ("refund-1000", {"1": 1_000}, 320)
    part = NewRefund.model_validate(refund_form(order, Act(0, Deed.REFUND, "refund-250", 250)))
    assert (part.by_line, part.extras_fen) == ({"1": 250}, 0)
