"""Purchases over HTTP: an invalid one is refused with the name of the field."""

import json
from typing import Any

import pytest

from tests.api.caller import Caller

LINE = {"line_id": "l1", "product_id": "tea", "list_price_fen": 10_000}


def asked(**changes: object) -> dict[str, object]:
    return {"viewer_id": "vera", "lines": [LINE], **changes}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"viewer_id": "a b"}, "viewer_id"),
        ({"lines": []}, "lines"),
        ({"lines": [LINE, LINE]}, "lines"),
        ({"lines": [{**LINE, "list_price_fen": -1}]}, "list_price_fen"),
        ({"lines": [{**LINE, "list_price_fen": 2**53}]}, "list_price_fen"),
        ({"lines": [{**LINE, "quantity": 0}]}, "quantity"),
        ({"lines": [{**LINE, "goods": "elephants"}]}, "goods"),
        ({"lines": [{**LINE, "entrance": "window"}]}, "entrance"),
        ({"lines": [{**LINE, "colour": "red"}]}, "colour"),
        ({"lines": [{**LINE, "flash_price_fen": 10_001}]}, "flash_price_fen"),
        ({"shipping_fen": 1.5}, "shipping_fen"),
        ({"platform": "elsewhere"}, "platform"),
        ({"client": "fax"}, "client"),
        ({"discounts": [{"discount_id": "d", "kind": "full_reduction"}]}, "amount_fen"),
        ({"discounts": [{"discount_id": "d", "kind": "creator_packet", "amount_fen": 1}]}, "kind"),
        ({"discounts": [{"discount_id": "d", "kind": "gold_coin", "amount_fen": 1, "threshold_fen": 1}]}, "amount_fen"),
        ({"discounts": [{"discount_id": "d", "kind": "shop_coupon", "amount_fen": 1, "line_ids": ["l9"]}]}, "line_ids"),
        ({"discounts": 2 * [{"discount_id": "d", "kind": "shop_coupon", "amount_fen": 1}]}, "discounts"),
    ],
)
def test_what_is_no_purchase_is_refused_by_field(api: Caller, changes: dict[str, object], named: str) -> None:
    """The answer names the field that is wrong."""
    answer = api.ask("POST", "/api/orders/quote", raw=json.dumps(asked(**changes)))
    assert answer.status_code == 422
    assert named in answer.json()["detail"]
    assert "Value error" not in answer.json()["detail"]


@pytest.mark.rule("KS-PRC-1")
@pytest.mark.rule("KS-PRC-2")
@pytest.mark.rule("KS-PRC-3")
@pytest.mark.rule("KS-PRC-4")
def test_vector_ks_1_but_for_its_packet_over_http(api: Caller) -> None:
    """Each stage of KS-1 comes to what the text says, line by line, with the funder of every fen."""
    discounts: list[dict[str, Any]] = [
        {"discount_id": "coupon", "kind": "shop_coupon", "amount_fen": 2_000},
        {"discount_id": "streamer", "kind": "streamer_coupon_packet", "amount_fen": 1_500},
        {"discount_id": "full", "kind": "full_reduction", "amount_fen": 1_000, "threshold_fen": 10_000},
        {"discount_id": "platform", "kind": "platform_coupon", "amount_fen": 800},
        {"discount_id": "gold", "kind": "gold_coin", "amount_fen": 300},
        {"discount_id": "cash", "kind": "cash_subsidy", "amount_fen": 500},
        {"discount_id": "credit", "kind": "consumption_credit", "amount_fen": 200},
    ]
    line = {"line_id": "l1", "product_id": "fruit", "list_price_fen": 20_000, "flash_price_fen": 15_000}
    shown = api.post(
        "/api/orders/quote",
        asked(platform="kuaishou", client="kuaishou", lines=[line], discounts=discounts, shipping_fen=600),
    )
    assert shown["payable_fen"] == 11_200 - 300 - 500 - 200 + 600
    assert shown["unused"] == {"streamer": "beaten"}
    assert shown["by_funder"] == {"merchant": 8_000, "creator": 0, "platform": 1_600, "unstated": 200}
    assert [(each["stage"], each["amount_fen"]) for each in shown["deductions"]] == [
        ("item", 5_000),
        ("shop", 2_000),
        ("shop", 1_000),
        ("platform", 800),
        ("funds", 300),
        ("funds", 500),
        ("funds", 200),
    ]
