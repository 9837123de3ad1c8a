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


def _grabbed(operation: dict[str, Any], path: str = "/packets/{packet_id}/grab", **document: Any) -> tuple[Any, ...]:
    service = Described({"openapi": "3.0.0", "paths": {path: {"post": operation}}, **document})
    return service.grab_request(service.grabs()[0], has_token=False)


@pytest.mark.parametrize("name", ["X-Viewer", "x_member_id", "PLAYER", "customerNo"])
def test_a_required_parameter_named_like_a_person_is_the_viewer(name: str) -> None:
    """In a header, the query, a cookie and the body alike."""
    text = {"name": name, "required": True, "schema": {"type": "string"}}
    path = "/packets/{packet_id}/grab"
    assert _grabbed({"parameters": [{"in": "header", **text}]})[1] == {name: "{viewer}"}
    assert _grabbed({"parameters": [{"in": "query", **text}]})[0] == f"POST /packets/{{packet}}/grab?{name}={{viewer}}"
    assert _grabbed({"parameters": [{"in": "cookie", **text}]})[1] == {"Cookie": f"{name}={{viewer}}"}
    body = {"schema": {"properties": {name: {"type": "string"}}, "required": [name]}}
    assert _grabbed({"requestBody": {"content": {"application/json": body}}})[2] == {name: "{viewer}"}
    assert _grabbed({}, f"{path}/{{{name}}}")[0] == "POST /packets/{packet}/grab/{viewer}"


def test_a_name_that_is_a_number_is_told() -> None:
    """Our viewers are called v0, v1 and so on; the kind of the content may be written in several ways."""
    post: dict[str, Any] = {
        "parameters": [
            {"in": "header", "name": "X-User-Id", "schema": {"type": "integer"}},
            {"in": "header", "name": "X-Count", "schema": {"type": "integer"}},
        ]
    }
    for kind in ("application/json; charset=utf-8", "*/*", "application/vnd.shop+json"):
        body = {
            "schema": {"properties": {"member": {"type": "string", "format": "uuid"}, "viewer": {"type": "string"}}}
        }
        post["requestBody"] = {"content": {"text/plain": {}, kind: body}}
        service = Described({"openapi": "3.0.0", "paths": {"/packets/grab": {"post": post}}})
        grab = service.grabs()[0]
        assert service.not_texts(grab) == ["X-User-Id", "member"]
        assert service.grab_request(grab, has_token=False).json == {"member": "{viewer}", "viewer": "{viewer}"}


def test_an_id_under_a_person_is_the_viewers() -> None:
    """In a path and in a body; a key that is called like a person is no token."""
    assert _grabbed({}, "/users/{id}/coupons/{coupon}/claim")[0] == "POST /users/{viewer}/coupons/{packet}/claim"
    body = {"schema": {"properties": {"user": {"properties": {"id": {"type": "string"}}}}}}
    assert _grabbed({"requestBody": {"content": {"application/json": body}}})[2] == {"user": {"id": "{viewer}"}}
    scheme = {"who": {"type": "apiKey", "in": "header", "name": "X-User-Id"}}
    keyed = _grabbed({}, security=[{"who": []}], components={"securitySchemes": scheme})
    assert keyed[1] == {"X-User-Id": "{viewer}"}


def test_responses_are_read_through_references() -> None:
    """A response of the components and a schema of its own are as good as text in place."""
    components = {
        "responses": {"Gone": {"description": "Sold out"}, "Twice": {"description": "It already has one"}},
        "schemas": {"Early": {"properties": {"code": {"const": "NOT_STARTED"}}}},
    }
    early = {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Early"}}}}
    responses = {"409": {"$ref": "#/components/responses/Twice"}, "410": {"$ref": "#/components/responses/Gone"}}
    post = {"responses": {**responses, "425": early}}
    service = Described({"openapi": "3.0.0", "components": components, "paths": {"/packets/grab": {"post": post}}})
    told = service.outcomes(service.grabs()[0])
    assert [told.http[code] for code in (409, 410, 425)] == ["repeated", "exhausted", "too_early"]
