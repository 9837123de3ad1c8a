"""The endpoints for machines: liveness, readiness, metrics and clock."""

from importlib import metadata

import pytest

from tests.api.caller import Caller


def test_it_is_alive_and_ready(api: Caller) -> None:
    """A server with its store says so."""
    assert api.get("/healthz") == {"status": "alive"}
    assert api.get("/readyz") == {"status": "ready"}


def test_it_tells_the_room_time(api: Caller) -> None:
    """Room time runs at the speed that was asked for, from the origin it names, and never goes back."""
    first, second = api.get("/api/clock"), api.get("/api/clock")
    assert first["speed"] == 10
    assert first["origin_ms"] <= first["room_ms"] <= second["room_ms"]
    assert {**first, "room_ms": 0} == {**second, "room_ms": 0}


def test_its_description_has_the_version_of_the_project(api: Caller) -> None:
    """The API has no version of its own."""
    assert api.get("/openapi.json")["info"]["version"] == metadata.version("redrain")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/docs", "/openapi.json", "/api/clock"])
def test_head_answers_as_get_without_a_body(api: Caller, path: str) -> None:
    """Probes and load balancers that ask with HEAD get the status and the type that GET has (RFC 9110, 9.3.2)."""
    got, head = api.ask("GET", path), api.ask("HEAD", path)
    assert (head.status_code, head.headers["content-type"]) == (got.status_code, got.headers["content-type"])
    assert head.content == b""
