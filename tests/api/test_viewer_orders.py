"""A buyer's own orders over HTTP, page by page."""

import pytest

from tests.api.caller import Caller
from tests.api.test_orders import RATES, shopping


@pytest.mark.rule("KS-PRC-1")
def test_a_buyer_lists_its_orders_with_their_waterfall(api: Caller) -> None:
    """The latest first, whoever's they are; one that was made elsewhere has a trail, and is no order of ours."""
    shopper = shopping(api, "lab")
    viewer = shopper.viewer_id
    orders = [api.post("/api/orders", shopper.body(1_000, **RATES), key=f"k{n}{viewer}")["order_id"] for n in range(3)]
    api.post("/api/trails", {"order_id": f"elsewhere-{viewer}", "viewer_id": viewer})
    seen, after = [], ""
    while True:
        page = api.get(f"/api/viewers/{viewer}/orders?limit=2{after}")
        seen += page["orders"]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert {each["order_id"] for each in seen} == set(orders)
    assert len(seen) == len(orders)
    (with_packet,) = [each for each in seen if each["packets"]]
    assert with_packet == api.get(f"/api/orders/{with_packet['order_id']}")
    (deduction,) = with_packet["quote"]["deductions"]
    assert (deduction["funder"], deduction["amount_fen"], deduction["by_line"]) == ("creator", 100, [100])
    assert api.get("/api/viewers/nobody/orders") == {"orders": [], "next": None}
    assert api.not_shown(f"/api/viewers/{viewer}/orders?after=none")[:2] == (422, "bad_field")


def test_lists_of_orders_and_trails_go_on_after_one(api: Caller) -> None:
    """A creator's orders and a buyer's trails are read in pages as well."""
    shopper = shopping(api, "lab")
    for n in range(3):
        api.post("/api/orders", shopper.body(1_000), key=f"k{n}{shopper.viewer_id}")
    for path in (f"/api/orders?creator_id={shopper.creator_id}", f"/api/trails?viewer_id={shopper.viewer_id}"):
        whole = [each["order_id"] for each in api.get(path)]
        assert len(whole) == 3
        assert [each["order_id"] for each in api.get(f"{path}&count=1&after={whole[0]}")] == whole[1:2]
        assert [each["order_id"] for each in api.get(f"{path}&after={whole[0]}")] == whole[1:]
        assert api.get(f"{path}&after={whole[2]}") == []
        assert api.not_shown(f"{path}&after={shopper.creator_id}.none")[:2] == (422, "bad_field")
