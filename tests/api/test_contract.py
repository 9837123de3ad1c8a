"""The API's contract: whatever is sent, no route fails or answers what the OpenAPI document does not declare."""

from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from fastapi import FastAPI, HTTPException
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

EXAMPLES = 10  # a route and mode; they are derived from the document alone, so each run tries the same
ROUTES_MIN = 30
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SETTINGS = hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)


def broken(document: schemathesis.BaseSchema, mode: GenerationMode) -> tuple[list[str], int]:
    """Return what is wrong with each route that does not keep its word, and how many routes were tried."""
    faults: list[str] = []
    routes = 0
    session = requests.Session()
    session.trust_env = False  # it would look for a proxy to this machine before each request
    for found in document.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        routes += 1

        @SETTINGS
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def holds(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(checks=CHECKS, session=session)

        try:
            holds()
        except hypothesis.errors.Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE, operation.label  # a route without input has no invalid request
        except (Exception, FailureGroup) as error:
            faults.append(f"{operation.label}: {error}")
    return faults, routes


@pytest.mark.parametrize("mode", GenerationMode)
def test_every_route_keeps_its_word(base_url: str, mode: GenerationMode) -> None:
    """No 5xx, no undeclared status or type, no body of another shape, for valid and invalid requests alike."""
    faults, routes = broken(schemathesis.openapi.from_url(f"{base_url}/openapi.json"), mode)
    assert routes >= ROUTES_MIN
    assert not faults, "\n\n".join(faults)


def test_a_route_that_breaks_its_word_is_found() -> None:
    """One route fails for some numbers, one answers a status it does not declare: both are named."""
    app = FastAPI()

    @app.get("/fails/{number}")
    def fails(number: int) -> int:
        return 1 // (number % 2)

    @app.get("/undeclared")
    def undeclared() -> int:
        raise HTTPException(418)

    @app.get("/sound")
    def sound() -> int:
        return 1

    faults, routes = broken(schemathesis.openapi.from_asgi("/openapi.json", app), GenerationMode.POSITIVE)
    assert routes == 3
    assert [fault.partition(":")[0] for fault in faults] == ["GET /fails/{number}", "GET /undeclared"]
