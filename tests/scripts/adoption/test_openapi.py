"""An OpenAPI document gives the grab, the login and the places of their fields; nothing is invented."""

from typing import Any

import pytest

from scripts.adoption.openapi import Described, sure

CLAIMED = {"type": "object", "properties": {
    "result": {"$ref": "#/components/schemas/Outcome"},
    "data": {"anyOf": [{"type": "null"}, {"type": "object", "properties": {
        "claim_id": {"type": "string"}, "amount_fen": {"type": "integer"}}}]},
}}  # fmt: skip
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "servers": [{"url": "http://localhost:8080/v1/"}],
    "security": [{"bearer": []}],
    "paths": {
        "/coupons": {"post": {"operationId": "createCoupon"}, "get": {}},
        "/admin/coupons/{coupon_id}/void": {"post": {}},
        "/coupons/{coupon_id}/claim": {
            "parameters": [{"$ref": "#/components/parameters/Coupon"}],
            "post": {
                "parameters": [{"in": "header", "name": "Idempotency-Key", "schema": {"type": "string"}},
                               {"in": "header", "name": "X-Region", "required": True, "schema": {"enum": ["eu{1}"]}},
                               {"in": "header", "name": "X-Debug", "schema": {"type": "string"}}],
                "requestBody": {"content": {"application/json": {"schema": {"allOf": [
                    {"$ref": "#/components/schemas/Who"},
                    {"properties": {"channel": {"default": "app"}, "note": {"type": "string"}, "ts": {}},
                     "required": ["channel"]},
                ]}}}},
                "responses": {"200": {"content": {"application/json": {"schema": CLAIMED}}}},
            },
        },
        "/users/login": {"post": {
            "security": [],
            "requestBody": {"content": {"application/json": {"schema": {
                "properties": {"phone": {}, "password": {"type": "string", "example": "pw"}, "remember": {}},
                "required": ["phone", "password"]}}}},
            "responses": {"201": {"content": {"application/json": {"schema": {
                "properties": {"data": {"properties": {"access_token": {"type": "string"}}}}}}}}},
        }},
    },
    "components": {
        "parameters": {"Coupon": {"in": "path", "name": "coupon_id", "required": True, "schema": {"type": "integer"}}},
        "schemas": {
            "Who": {"properties": {"user_id": {"type": "string"}, "parent": {"$ref": "#/components/schemas/Who"}},
                    "required": ["user_id"]},
            "Outcome": {"enum": ["OK", "ALREADY_CLAIMED", "SOLD_OUT", "NOT_STARTED", "EXPIRED", "PURPLE"]},
        },
        "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
    },
}  # fmt: skip


def _post(*paths: str) -> Described:
    return Described({"openapi": "3.0.0", "paths": {path: {"post": {}} for path in paths}})


def test_a_grab_is_read_with_all_its_places() -> None:
    """Path, headers and body have places by the names of their fields, else what the schema gives."""
    service = Described(DOCUMENT)
    grab, *_ = service.grabs()
    assert str(grab) == "POST /coupons/{coupon_id}/claim"
    assert service.grab_request(grab, has_token=True) == (
        "POST /v1/coupons/{packet}/claim",
        {"Idempotency-Key": "{request_id}", "X-Region": "eu{{1}}", "Authorization": "Bearer {token}"},
        {"user_id": "{viewer}", "channel": "app", "ts": "{timestamp_ms}"},
    )
    assert "Authorization" not in service.grab_request(grab, has_token=False).headers
    assert service.base_url == "http://localhost:8080"


def test_an_answer_is_read_by_the_words_of_its_schema() -> None:
    """A word that says nothing to us is left out."""
    service = Described(DOCUMENT)
    receipt = service.receipt(service.grabs()[0])
    assert receipt._asdict() == {
        "status": "result", "amount_fen": "data.amount_fen", "claim_id": "data.claim_id",
        "words": {"granted": ["OK"], "repeated": ["ALREADY_CLAIMED"], "exhausted": ["SOLD_OUT"],
                  "too_early": ["NOT_STARTED"], "too_late": ["EXPIRED"]},
    }  # fmt: skip


def test_a_login_is_read_with_the_place_of_its_token() -> None:
    """It is made before any grab: no place in it is a packet's."""
    service = Described(DOCUMENT)
    [login] = service.logins()
    assert service.login_request(login) == ("POST /v1/users/login", {}, {"phone": "{viewer}", "password": "pw"})
    assert service.token_path(login) == "data.access_token"


@pytest.mark.parametrize(
    ("paths", "first", "stands_out"),
    [
        (("/login", "/packets/{packet_id}/grab", "/admin/packets/{packet_id}/grab"), "/packets/{packet_id}/grab", True),
        (("/coupons", "/coupons/{id}/redeem"), "/coupons/{id}/redeem", True),
        (("/coupon/claim", "/packet/grab"), "/coupon/claim", False),
        (("/hongbao/create", "/hongbao/抢"), "/hongbao/抢", True),
        (("/coupons", "/packets"), "/coupons", False),
    ],
)
def test_the_likeliest_comes_first(paths: tuple[str, ...], first: str, stands_out: bool) -> None:
    found = _post(*paths).grabs()
    assert (found[0].path, sure(found)) == (first, stands_out)


def test_what_is_not_told_is_not_invented() -> None:
    """Without schemas there is a bare request; the one thing in its path is what is grabbed."""
    service = _post("/drops/{drop}/claim")
    [grab] = service.grabs()
    assert service.grab_request(grab, has_token=True) == ("POST /drops/{packet}/claim", {}, None)
    assert service.receipt(grab) == ("", {}, "", "")
    assert (service.base_url, service.logins(), _post("/orders").grabs()) == ("", [], [])
    named = _post("/rooms/{room}/packets/{packet_id}/grab")
    assert named.grab_request(named.grabs()[0], has_token=False).request == "POST /rooms/1/packets/{packet}/grab"


@pytest.mark.parametrize("url", ["https://staging.example.com", "", "/api", "//example.com"])
def test_no_other_machine_becomes_the_address(url: str) -> None:
    """Load goes to a service elsewhere only if somebody says so."""
    assert Described({"servers": [{"url": url}], "paths": {}}).base_url == ""
