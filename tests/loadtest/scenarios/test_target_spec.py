"""A scenario may say this of another service; the rest is refused with the field's name."""

from typing import Any

import pytest
from pydantic import ValidationError

from loadtest.scenarios.target_spec import (
    AdapterTargetSpec,
    BooksSpec,
    HttpTargetSpec,
    ReceiptSpec,
    RequestSpec,
    SignSpec,
    StepSpec,
    TargetSpec,
    WebSocketTargetSpec,
)
from server.core.packets.claim import ClaimStatus
from tests.loadtest.targets.described import HTTP, SOCKET


def refused(model: type[Any], table: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as error:
        model.model_validate(table)
    return str(error.value)


@pytest.mark.parametrize("request_line", ["post /x", "POST x", "FETCH /x", "POST  /x", "POST /x HTTP/1.1", "/x", ""])
def test_a_request_has_a_method_and_a_path(request_line: str) -> None:
    assert "request" in refused(RequestSpec, {"request": request_line})


def test_a_request_has_one_body() -> None:
    assert "at most one of json, form and body" in refused(RequestSpec, {"request": "POST /x", "json": {}, "body": ""})
    assert RequestSpec.model_validate({"request": "POST /x", "json": [1]}).json_body == [1]


def test_words_and_their_place_go_together() -> None:
    assert "status and words go together" in refused(ReceiptSpec, {"status": "code"})
    assert "status and words go together" in refused(ReceiptSpec, {"words": {"granted": ["OK"]}})
    assert "words" in refused(ReceiptSpec, {"status": "code", "words": {"won": ["OK"]}})
    spec = ReceiptSpec.model_validate({"http": {409: "exhausted"}})
    assert spec.http == {409: ClaimStatus.EXHAUSTED}


def test_an_amount_stands_in_one_place() -> None:
    assert "either amount_fen or amount" in refused(ReceiptSpec, {"amount_fen": "a", "amount": {"path": "b"}})


@pytest.mark.parametrize("source", ["/claims", "POST claims", "claims.csv", "file:"])
def test_books_come_from_a_request_or_a_file(source: str) -> None:
    columns = {"packet": "p", "viewer": "v"}
    assert "source" in refused(BooksSpec, {"source": source, "columns": columns})
    assert BooksSpec.model_validate({"source": "file:claims.csv", "columns": columns}).columns == columns


def test_books_say_whose_claims_they_are() -> None:
    assert "packet and viewer" in refused(BooksSpec, {"source": "GET /c", "columns": {"packet": "p"}})
    assert "columns" in refused(BooksSpec, {"source": "GET /c", "columns": {"packet": "p", "viewer": "v", "user": "u"}})


@pytest.mark.parametrize("url", ["127.0.0.1:9000", "ftp://h", "http://", "h"])
def test_an_address_has_a_scheme_and_a_host(url: str) -> None:
    assert "base_url" in refused(TargetSpec, {"base_url": url})


def test_the_usual_is_the_safe_one() -> None:
    """Connections are kept, TLS needs no word, and a signature is SHA-256 in hexadecimal digits."""
    spec = HttpTargetSpec.model_validate(HTTP)
    assert (spec.reuse, spec.ca_file, spec.viewer, spec.grab.timeout_ms) == (True, None, "{viewer}", 5_000)
    sign = SignSpec(key="k", text="")
    assert (sign.algorithm, sign.encoding) == ("sha256", "hex")
    assert WebSocketTargetSpec.model_validate(SOCKET).connect.ready is not None
    assert AdapterTargetSpec.model_validate({"kind": "adapter", "options": {"a": [1]}}).options == {"a": [1]}
    assert StepSpec.model_validate({"request": "POST /x"}).at_ms is None
