"""HTTP requests of a scenario: bodies by their kind, headers of one line, and signatures in either place."""

import hmac
from typing import Any

import pytest

from loadtest.scenarios.target_spec import RequestSpec
from loadtest.targets.http_request import FilledRequest, RequestTemplate
from loadtest.targets.port import BadTarget
from tests.loadtest.targets.described import http_target

VALUES = {"viewer": "小红", "packet": "p1", "request_id": "r1"}


def a_template(spec: dict[str, Any], *, more: frozenset[str] = frozenset(), **target: Any) -> RequestTemplate:
    service = http_target(**target)
    known = service.viewer_places | {"packet", "request_id"} | more
    return RequestTemplate(RequestSpec.model_validate(spec), service, field="target.grab", known=known)


def filled(spec: dict[str, Any], values: dict[str, object] | None = None, **target: Any) -> FilledRequest:
    return a_template(spec, **target).filled(VALUES | (values or {}))


@pytest.mark.parametrize(
    ("spec", "body", "kind"),
    [
        ({"json": {"u": "{viewer}"}}, '{"u":"小红"}', "application/json"),
        ({"form": {"u": "{viewer}", "p": "a b"}}, "u=%E5%B0%8F%E7%BA%A2&p=a+b", "application/x-www-form-urlencoded"),
        ({"body": "<u>{viewer}</u>"}, "<u>小红</u>", "text/plain; charset=utf-8"),
        ({}, "", None),
    ],
)
def test_a_body_says_of_what_kind_it_is(spec: dict[str, Any], body: str, kind: str | None) -> None:
    request = filled({"request": "POST /x", **spec})
    assert (request.body.decode(), request.headers.get("content-type")) == (body, kind)


def test_a_kind_of_ones_own_replaces_the_usual_one() -> None:
    request = filled({"request": "POST /x", "headers": {"Content-TYPE": "application/x-mine"}, "json": {}})
    assert request.headers == {"content-type": "application/x-mine"}


def test_the_path_is_below_that_of_the_service() -> None:
    request = filled({"request": "GET /p/{packet}?u={viewer}"}, base_url="http://127.0.0.1:9000/api/")
    assert (request.method, request.path) == ("GET", "/api/p/p1?u=%E5%B0%8F%E7%BA%A2")


@pytest.mark.parametrize("injected", ["a\r\nX-Admin: 1", "a\nb", "a\0b"])
def test_no_value_ends_a_header_early(injected: str) -> None:
    template = a_template({"request": "GET /x", "headers": {"X-User": "{viewer}"}})
    with pytest.raises(BadTarget, match=r"target\.grab\.headers\.x-user: has a line break"):
        template.filled({**VALUES, "viewer": injected})


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding", "Connection", "X User", "X:", "", "X\r\nY"])
def test_headers_that_a_scenario_may_not_set_are_refused(name: str) -> None:
    with pytest.raises(BadTarget, match="is no header that a scenario may set"):
        a_template({"request": "GET /x", "headers": {name: "1"}})


def test_a_signature_of_the_body_stands_in_a_header() -> None:
    sign = {"key": "k", "text": "{body}"}
    request = filled({"request": "POST /x", "headers": {"X-Sign": "{signature}"}, "json": {"u": "{viewer}"}}, sign=sign)
    assert request.headers["x-sign"] == hmac.new(b"k", request.body, "sha256").hexdigest()
    with pytest.raises(BadTarget, match=r"target\.grab\.json\.s: \{signature\} has no value here"):
        a_template({"request": "POST /x", "json": {"s": "{signature}"}}, sign=sign)


def test_a_signature_of_other_values_may_stand_in_the_body() -> None:
    sign = {"key": "k", "text": "{viewer}{packet}"}
    request = filled({"request": "POST /x", "form": {"sign": "{signature}"}}, sign=sign)
    assert request.body.decode() == "sign=" + hmac.new(b"k", "小红p1".encode(), "sha256").hexdigest()


def test_what_the_login_takes_is_known_where_it_is_said() -> None:
    spec = {"request": "GET /x", "headers": {"Authorization": "Bearer {token}"}}
    request = a_template(spec, more=frozenset({"token"})).filled({**VALUES, "token": 7})
    assert request.headers == {"authorization": "Bearer 7"}
    with pytest.raises(BadTarget, match=r"target\.grab\.headers\.Authorization: \{token\} has no value here"):
        a_template(spec)
