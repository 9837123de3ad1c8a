"""Orders over HTTP: from the quote to the settlement, with packets that viewers really grabbed."""

import secrets
from dataclasses import dataclass
from typing import Any

import pytest

from tests.api.caller import Caller

WINDOW_MS = 600_000
RATES = {"commission_rate": 2_000, "service_fee_rate": 500}


@dataclass(frozen=True)
class Shopper:
    """A viewer with one share of a creator's packet, all of whose shares are a hundred fen."""

    creator_id: str
    viewer_id: str
    asset_id: str

    def body(self, *prices_fen: int, **more: object) -> dict[str, object]:
        """Return a purchase from the creator's live room."""
        lines = [
            {
                "line_id": f"l{n}",
                "product_id": f"p{n}",
                "list_price_fen": fen,
                "creator_id": self.creator_id,
                "entrance": "live_room",
            }
            for n, fen in enumerate(prices_fen or (1_000,))
        ]
        return {"viewer_id": self.viewer_id, "client": "douyin", "lines": lines, **more}


@pytest.fixture
def shopper(api: Caller) -> Shopper:
    """Grab a share of a packet of fixed denomination."""
    return shopping(api, "lab")


def shopping(api: Caller, platform: str, viewer_id: str = "") -> Shopper:
    """Grab a share on a platform whose packets open by hand; ``acme`` is Douyin but for that."""
    creator_id = api.creator(1_000, platform)
    room_id, packet_id = api.room(creator_id), api.packet(creator_id, platform=platform, denomination="fixed")
    body = {"room_id": room_id, "mode": "manual", "claim_window_ms": WINDOW_MS}
    api.post(f"/api/packets/{packet_id}/launch", body)
    viewer_id = viewer_id or f"v{secrets.token_hex(4)}"
    receipt = api.grab(room_id, packet_id, viewer_id)
    return Shopper(creator_id, viewer_id, receipt["claim_id"])


def state_of(api: Caller, shopper: Shopper) -> str:
    (asset,) = api.get(f"/api/viewers/{shopper.viewer_id}/assets?creator_id={shopper.creator_id}")
    state: str = asset["state"]
    return state


@pytest.mark.rule("DY-CAN-1")
@pytest.mark.rule("DY-CAN-3")
@pytest.mark.rule("DY-USE-5")
def test_an_order_from_quote_to_refund(api: Caller, shopper: Shopper) -> None:
    """The share is locked, redeemed by the payment, and the viewer's again after a full refund."""
    body = shopper.body(1_000, shipping_fen=60, **RATES)
    quote = api.post("/api/orders/quote", shopper.body(1_000, shipping_fen=60))
    assert (quote["payable_fen"], quote["asset_ids"]) == (960, [shopper.asset_id])

    order = api.post("/api/orders", {**body, "expected_payable_fen": 960, "asset_ids": quote["asset_ids"]}, key="k")
    assert (order["state"], order["payable_fen"], order["creator_id"]) == (
        "submitted_unpaid",
        960,
        shopper.creator_id,
    )
    assert state_of(api, shopper) == "locked"
    path = f"/api/orders/{order['order_id']}"

    assert (api.post(f"{path}/pay")["state"], api.post(f"{path}/pay")["repeated"]) == ("paid", True)
    assert state_of(api, shopper) == "redeemed"
    trail = api.get(f"/api/trails/{order['order_id']}")
    assert [event["event"] for event in trail["timeline"]] == ["paid"]
    settled = api.get(f"{path}/settlement")
    assert (settled["base_fen"], settled["commission_fen"], settled["service_fee_fen"]) == (1_000, 200, 50)
    assert not settled["final"]

    part = api.post(f"{path}/refunds", {"refund_id": "r1", "by_line": {"l0": 400}})
    assert (part["state"], part["kept_fen"]) == ("paid", 560)
    assert state_of(api, shopper) == "redeemed"  # DY-CAN-5
    whole = api.post(f"{path}/refunds", {"refund_id": "r2", "by_line": {"l0": 500}, "extras_fen": 60})
    assert (whole["state"], whole["kept_fen"], whole["refunded_by_line"]) == ("refunded", 0, {"l0": 900})
    assert state_of(api, shopper) == "available"
    assert api.get(path) == whole
    assert api.get(f"/api/orders?creator_id={shopper.creator_id}") == [whole]


@pytest.mark.rule("DY-REV-4")
def test_a_cancelled_order_gives_the_packet_back(api: Caller, shopper: Shopper) -> None:
    """It can be used again at once, and a cancelled order cannot be paid."""
    order = api.post("/api/orders", shopper.body())
    path = f"/api/orders/{order['order_id']}"
    assert api.post(f"{path}/cancel")["state"] == "cancelled"
    assert state_of(api, shopper) == "available"
    assert api.refused(f"{path}/pay")[:2] == (409, "not_payable")
    assert api.post("/api/orders", shopper.body())["packets"][0]["state"] == "locked"


def test_what_is_there_already_is_repeated_and_what_contradicts_is_refused(api: Caller, shopper: Shopper) -> None:
    """
    By any key a pay of a paid order and a cancel of a cancelled one answer 200 (AMB-58).

    A refunded order is not paid again, but the payment that it had, sent again by its key, is a repetition. A refund is
    one only by its id, or without one by its key.
    """
    paid, cancelled = (api.post("/api/orders", shopper.body(shipping_fen=60, asset_ids=[]), key=k) for k in ("a", "b"))
    path = f"/api/orders/{cancelled['order_id']}"
    assert [api.post(f"{path}/cancel")["repeated"] for _ in range(2)] == [False, True]
    assert api.refused(f"{path}/refunds", {"refund_id": "r", "extras_fen": 1})[:2] == (409, "not_refundable")
    path = f"/api/orders/{paid['order_id']}"
    answers = [api.post(f"{path}/pay", key=key) for key in ("first", "first", "other")]
    assert [(each["repeated"], each["state"]) for each in answers] == [(False, "paid"), (True, "paid"), (True, "paid")]
    assert api.refused(f"{path}/cancel")[:2] == (409, "not_cancellable")
    assert api.refused(f"{path}/refunds", {"by_line": {"l0": 1}}) == (422, "bad_field", "")
    part = {"by_line": {"l0": 100}}
    kept = [api.post(f"{path}/refunds", part, key=key) for key in ("r", "r", "s")]
    kept.append(api.post(f"{path}/refunds", {**part, "refund_id": "r"}))
    assert [(each["repeated"], each["kept_fen"]) for each in kept] == [
        (False, paid["payable_fen"] - 100),
        (True, paid["payable_fen"] - 100),
        (False, paid["payable_fen"] - 200),
        (False, paid["payable_fen"] - 300),
    ]
    assert api.refused(f"{path}/refunds", {"by_line": {"l0": 2}}, key="r")[:2] == (409, "refund_conflict")
    rest = {"refund_id": "rest", "by_line": {"l0": paid["payable_fen"] - 360}}
    assert [api.post(f"{path}/refunds", rest)["repeated"] for _ in range(2)] == [False, True]
    assert api.refused(f"{path}/pay")[:2] == (409, "not_payable")
    assert api.post(f"{path}/pay", key="first")["repeated"]
    last = api.post(f"{path}/refunds", {"extras_fen": 60}, key="shipping")
    assert (last["state"], last["kept_fen"], last["repeated"]) == ("refunded", 0, False)
    assert api.get(path) == last


def test_the_same_key_is_the_same_order(api: Caller, shopper: Shopper) -> None:
    """Asked twice there is one order; another purchase under the key is refused and changes nothing."""
    first = api.post("/api/orders", shopper.body(), key="twice")
    assert api.post("/api/orders", shopper.body(), key="twice") == first
    assert api.refused("/api/orders", shopper.body(2_000), key="twice")[:2] == (409, "transfer_conflict")
    assert len(api.get(f"/api/orders?creator_id={shopper.creator_id}")) == 1


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"asset_ids": ["nobody.p:0"]}, (422, "not_yours", "ALL-ELG-1")),
        ({"asset_ids": ["x"]}, (404, "not_found", "")),
        ({"expected_payable_fen": 1}, (409, "price_changed", "")),
        ({"commission_rate": 10_001}, (422, "bad_field", "")),
        ({"commission_rate": 9_000, "service_fee_rate": 1_001}, (422, "bad_field", "")),
        ({"merchant_id": "a b"}, (422, "bad_id", "")),
        ({"room_id": "/"}, (422, "bad_id", "")),
    ],
)
def test_what_cannot_be_ordered_locks_nothing(
    api: Caller, shopper: Shopper, changes: dict[str, object], refusal: tuple[int, str, str]
) -> None:
    """A refused order leaves the packet with its viewer."""
    assert api.refused("/api/orders", shopper.body(**changes)) == refusal
    assert state_of(api, shopper) == "available"
    assert api.get(f"/api/orders?creator_id={shopper.creator_id}") == []


@pytest.mark.rule("DY-USE-3")
@pytest.mark.rule("DY-USE-4")
@pytest.mark.rule("DY-USE-6")
@pytest.mark.parametrize("platform", ["acme", None])
@pytest.mark.parametrize(
    ("changes", "line", "excluded"),
    [
        ({"client": "kuaishou"}, {}, ("wrong_client", "ACME-USE-1")),
        ({"cart_merged": True}, {}, ("cart_merged", "ACME-USE-4")),
        ({"traits": ["qianchuan"]}, {}, ("order_excluded", "ACME-USE-6")),
        ({}, {"goods": "auction"}, ("goods_excluded", "ACME-USE-6")),
        ({}, {"entrance": "other"}, ("out_of_scope", "ACME-USE-3")),
    ],
)
def test_a_quote_says_why_a_packet_is_not_used(
    api: Caller, changes: dict[str, Any], line: dict[str, Any], excluded: tuple[str, str], platform: str | None
) -> None:
    """Each exclusion has its reason and the rule that says so, whether the platform is named or not (AMB-44)."""
    body = shopping(api, "acme").body(platform=platform, **changes)
    lines = body["lines"]
    assert isinstance(lines, list)
    lines[0] |= line
    quote = api.post("/api/orders/quote", body)
    assert quote["asset_ids"] == []
    assert [(each["reason"], each["rule"]) for each in quote["exclusions"]] == [excluded]


def test_what_is_no_refund_is_refused(api: Caller, shopper: Shopper) -> None:
    """Too much, unknown lines, an id that stands for another, and an order that was not paid."""
    order = api.post("/api/orders", shopper.body())
    path = f"/api/orders/{order['order_id']}/refunds"
    assert api.refused(path, {"refund_id": "r", "by_line": {"l0": 1}})[:2] == (409, "not_refundable")
    api.post(f"/api/orders/{order['order_id']}/pay")
    assert api.refused(path, {"refund_id": "r", "by_line": {"l0": 901}})[:2] == (422, "out_of_range")
    assert api.refused(path, {"refund_id": "r", "by_line": {"l7": 1}})[:2] == (422, "out_of_range")
    assert api.refused(path, {"refund_id": "r"})[:2] == (422, "out_of_range")
    api.post(path, {"refund_id": "r", "by_line": {"l0": 1}})
    assert api.refused(path, {"refund_id": "r", "by_line": {"l0": 2}})[:2] == (409, "refund_conflict")
    assert api.not_shown("/api/orders/nobody.0123456789")[:2] == (404, "not_found")


@pytest.mark.rule("DY-USE-3")
@pytest.mark.rule("KS-USE-1")
def test_an_order_uses_the_packets_of_its_platform_only(api: Caller, shopper: Shopper) -> None:
    """Another platform's are excluded from a quote and refused in an order, which then locks nothing (AMB-44)."""
    body = shopper.body(platform="kuaishou")
    quote = api.post("/api/orders/quote", body)
    excluded = [(each["asset_id"], each["reason"], each["rule"]) for each in quote["exclusions"]]
    assert (quote["asset_ids"], excluded) == ([], [(shopper.asset_id, "other_platform", "AMB-44")])
    named = {**body, "asset_ids": [shopper.asset_id]}
    assert api.refused("/api/orders", named) == (422, "other_platform", "AMB-44")
    assert state_of(api, shopper) == "available"
    assert api.post("/api/orders", {**named, "platform": None})["platform"] == "lab"


@pytest.mark.rule("DY-USE-4")
@pytest.mark.rule("DY-USE-3")
@pytest.mark.rule("DY-STK-5")
@pytest.mark.parametrize("flag", [True, False])
def test_goods_of_several_creators_are_a_merged_cart(api: Caller, *, flag: bool) -> None:
    """On Douyin no creator's packet is used in it, named or chosen, paid or not (AMB-50); lab has no such rule."""
    for platform in ("acme", "lab"):
        one = shopping(api, platform)
        two = shopping(api, platform, one.viewer_id)
        lines = [
            {**one.body()["lines"][0], "line_id": "a"},  # type: ignore[index]
            {**two.body()["lines"][0], "line_id": "b"},  # type: ignore[index]
        ]
        body = {**one.body(cart_merged=flag), "lines": lines}
        quote = api.post("/api/orders/quote", body)
        if platform == "lab":
            assert len(quote["asset_ids"]) == 1
            (used,) = quote["deductions"]
            mine = one if used["discount_id"] == one.asset_id else two
            assert used["by_line"] == ([100, 0] if mine is one else [0, 100])  # AMB-53
            continue
        assert {(each["reason"], each["rule"]) for each in quote["exclusions"]} == {("cart_merged", "ACME-USE-4")}
        assert quote["payable_fen"] == 2_000
        refused = api.refused("/api/orders", {**body, "asset_ids": [one.asset_id]})
        assert refused == (422, "cart_merged", "ACME-USE-4")
        order = api.post("/api/orders", body)
        assert (order["platform"], order["payable_fen"], order["packets"]) == ("acme", 2_000, [])


@pytest.mark.rule("DY-USE-3")
def test_a_platform_that_nobody_settles_must_be_named(api: Caller, shopper: Shopper) -> None:
    """Lines of no creator, of one without a platform, or of two platforms' (AMB-44)."""
    other = shopping(api, "acme")
    line, foreign = shopper.body()["lines"][0], {**other.body()["lines"][0], "line_id": "b"}  # type: ignore[index]
    nobody = {**line, "line_id": "c", "creator_id": None}
    unknown = {**line, "line_id": "d", "creator_id": api.creator()}
    for path in ("/api/orders/quote", "/api/orders"):
        for lines in ([nobody], [unknown], [line, foreign]):
            assert api.refused(path, {**shopper.body(), "lines": lines}) == (422, "bad_field", "")
    quote = api.post("/api/orders/quote", {**shopper.body(), "lines": [line, nobody, unknown]})
    assert quote["asset_ids"] == [shopper.asset_id]
    assert api.post("/api/orders/quote", {**shopper.body(platform="lab"), "lines": [nobody]})["asset_ids"] == []
