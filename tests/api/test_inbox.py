"""A viewer's service messages over HTTP."""

from urllib.parse import quote

import pytest

from tests.api.caller import Caller
from tests.api.test_orders import shopping


@pytest.mark.rule("LT-3")
@pytest.mark.rule("DY-CAN-3")
def test_an_order_leaves_its_messages(api: Caller) -> None:
    """Its payment, its refund and the packet that comes back, the last first; read when the viewer says so."""
    shopper = shopping(api, "lab")
    path = f"/api/viewers/{shopper.viewer_id}/messages"
    assert api.get(path) == {"messages": [], "unread": 0, "next": None}
    order_id = api.post("/api/orders", shopper.body(1_000))["order_id"]
    api.post(f"/api/orders/{order_id}/pay")
    for _ in range(2):
        api.post(f"/api/orders/{order_id}/refunds", {"refund_id": "r1", "by_line": {"l0": 900}})
    shown = api.get(path)
    told = {(each["kind"], each["order_id"], each["about"], each["amount_fen"]) for each in shown["messages"]}
    assert told == {
        ("trail", order_id, "paid", 0),
        ("refunded", order_id, "r1", 900),
        ("packet_returned", order_id, shopper.asset_id, 100),
    }
    assert (len(shown["messages"]), shown["unread"], shown["next"]) == (3, 3, None)
    first = api.get(f"{path}?limit=1")
    assert first["messages"] == shown["messages"][:1]
    second = api.get(f"{path}?limit=2&after={quote(first['next'])}")
    assert second["messages"] == shown["messages"][1:]
    read = api.post(f"{path}/read", {"received_at_ms": shown["messages"][0]["received_at_ms"]})
    assert (read["unread"], [each["read"] for each in read["messages"]]) == (0, [True] * 3)
    assert api.not_shown(f"{path}?after=none")[:2] == (422, "bad_field")
