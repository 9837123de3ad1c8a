"""Products over HTTP: what the platform has registered of goods counts, whatever a creator or a buyer calls them."""

import json
import secrets
from typing import Any

import pytest

from tests.api.caller import Caller, terms
from tests.api.test_orders import shopping


def registered(api: Caller, goods: str = "ordinary", **more: object) -> dict[str, Any]:
    """Register a new product and return what is shown of it."""
    return put(api, f"p-{secrets.token_hex(6)}", {"title": "明前龙井", "goods": goods, **more})


def put(api: Caller, product_id: str, body: dict[str, object]) -> dict[str, Any]:
    answer = api.ask("PUT", f"/api/products/{product_id}", raw=json.dumps(body))
    assert answer.ok, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def problem(api: Caller, path: str, body: object) -> tuple[int, str, str, str]:
    """Return status, code, field and rule of a refusal."""
    answer = api.ask("POST", path, raw=json.dumps(body))
    said = answer.json()
    return answer.status_code, said["code"], said["detail"].partition(":")[0], said["rule"]


def test_a_product_is_registered_and_replaced(api: Caller) -> None:
    """A replacement leaves nothing of before; a repetition changes nothing."""
    tea = registered(api, "virtual", list_price_fen=4_000, creator_id="anna")
    product_id = tea["product_id"]
    body = {"title": "明前龙井", "goods": "virtual", "list_price_fen": 4_000, "creator_id": "anna"}
    assert tea == put(api, product_id, dict(body)) == api.get(f"/api/products/{product_id}")
    assert tea == {"product_id": product_id, **body}
    bare = put(api, product_id, {"title": "龙井"})
    nothing = {"list_price_fen": None, "creator_id": None}
    assert bare == {"product_id": product_id, "title": "龙井", "goods": "ordinary", **nothing}
    assert bare == api.get(f"/api/products/{product_id}")
    assert api.not_shown("/api/products/nothing") == (404, "not_found", "")


def test_the_products_of_a_creators_rooms_are_listed_by_pages(api: Caller) -> None:
    """By id; with another creator, or none, a product has left the list of the first."""
    anna, bert = api.creator(), api.creator()
    ids = sorted(registered(api, creator_id=anna)["product_id"] for _ in range(3))
    path = f"/api/products?creator_id={anna}"
    assert [each["product_id"] for each in api.get(path)] == ids
    assert [each["product_id"] for each in api.get(f"{path}&skip=1&count=1")] == ids[1:2]
    put(api, ids[0], {"title": "tea", "creator_id": bert})
    put(api, ids[1], {"title": "tea"})
    assert [each["product_id"] for each in api.get(path)] == ids[2:]
    assert [each["product_id"] for each in api.get(f"/api/products?creator_id={bert}")] == ids[:1]
    assert {each["product_id"] for each in api.get("/api/products?count=1000")} >= set(ids)


@pytest.mark.parametrize(
    ("product_id", "change"),
    [
        ("p", {"title": " "}),
        ("p", {"title": "tea\n"}),
        ("p", {"title": "茶" * 61}),
        ("p", {"goods": "elephants"}),
        ("p", {"list_price_fen": -1}),
        ("p", {"list_price_fen": "4"}),
        ("p", {"creator_id": "an.na"}),
        ("p", {"colour": "red"}),
        ("p" * 37, {}),
    ],
)
def test_what_is_no_product_is_refused(api: Caller, product_id: str, change: dict[str, object]) -> None:
    """Nothing is registered."""
    answer = api.ask("PUT", f"/api/products/{product_id}", raw=json.dumps({"title": "tea", **change}))
    assert (answer.status_code, answer.json()["code"] in ("bad_field", "bad_id")) == (422, True)
    assert api.ask("GET", f"/api/products/{product_id}").status_code in (404, 422)


@pytest.mark.rule("KS-ELG-2")
@pytest.mark.parametrize("goods", [None, ["ordinary"]])
def test_a_packet_is_not_set_up_for_goods_that_are_registered_as_excluded(api: Caller, goods: list[str] | None) -> None:
    """Whatever the creator calls them; the packet that was made before stays the answer to its key."""
    creator_id = api.creator(5_000, "kuaishou")
    tea, cup = registered(api)["product_id"], registered(api)["product_id"]
    said = {} if goods is None else {"goods": goods}
    body = terms(creator_id, platform="kuaishou", product_ids=[tea, cup, "unregistered"], **said)
    before = api.post("/api/packets", body, key="k")
    put(api, cup, {"title": "cup", "goods": "cross_border"})
    with api.nothing_changes(creator_id):
        assert problem(api, "/api/packets", body) == (422, "not_configurable", "product_ids", "KS-ELG-2")
        assert api.post("/api/packets", body, key="k")["packet_id"] == before["packet_id"]
    assert api.post("/api/packets", {**body, "product_ids": [tea]})["product_ids"] == [tea]
    in_lab = api.creator(1_000)
    assert api.post("/api/packets", terms(in_lab, product_ids=[cup]))["product_ids"] == [cup]


@pytest.mark.rule("DY-USE-6")
@pytest.mark.rule("KS-USE-2")
@pytest.mark.parametrize(
    ("platform", "client", "kind", "rule"),
    [("acme", "douyin", "auction", "ACME-USE-6"), ("kuaishou", "kuaishou", "local_life", "KS-USE-2")],
)
def test_an_order_goes_by_the_kind_that_is_registered(
    api: Caller, platform: str, client: str, kind: str, rule: str
) -> None:
    """Left out or said alike, the registered kind excludes its line; said otherwise, it refuses quote and order."""
    shopper = shopping(api, platform)
    excluded, fine = registered(api, kind)["product_id"], registered(api)["product_id"]

    def body(product_id: str, **said: str) -> dict[str, Any]:
        purchase: dict[str, Any] = shopper.body(1_000, 500, client=client)
        purchase["lines"][1] |= {"product_id": product_id, **said}
        return purchase

    for said in ({}, {"goods": kind}):
        quote = api.post("/api/orders/quote", body(excluded, **said))
        (deduction,) = quote["deductions"]
        assert (deduction["amount_fen"], deduction["by_line"]) == (100, [100, 0])
    alone = {**body(excluded), "lines": body(excluded)["lines"][1:]}
    (exclusion,) = api.post("/api/orders/quote", alone)["exclusions"]
    assert (exclusion["reason"], exclusion["rule"]) == ("goods_excluded", rule)
    for wrong in (body(excluded, goods="ordinary"), body(fine, goods=kind)):
        for path in ("/api/orders/quote", "/api/orders"):
            assert problem(api, path, wrong) == (422, "other_goods", "lines.1.goods", rule)
    assert sum(api.post("/api/orders/quote", body(fine))["deductions"][0]["by_line"]) == 100
    order = api.post("/api/orders", body(excluded))
    assert order["quote"]["deductions"][0]["by_line"] == [100, 0]


def test_an_order_is_the_same_by_its_key_whatever_is_registered_later(api: Caller) -> None:
    """A retry is told that the order was made, and not that its line is wrong by now."""
    shopper, product_id = shopping(api, "lab"), f"p-{secrets.token_hex(6)}"
    body: dict[str, Any] = shopper.body(1_000)
    body["lines"][0] |= {"product_id": product_id, "goods": "ordinary"}
    order = api.post("/api/orders", body, key=product_id)
    put(api, product_id, {"title": "tea", "goods": "virtual"})
    assert api.post("/api/orders", body, key=product_id) == order
    assert api.refused("/api/orders", body) == (422, "other_goods", "DY-USE-6")
