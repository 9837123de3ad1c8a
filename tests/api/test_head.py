"""HEAD reaches a route as GET, and everything else unchanged."""

from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from server.api.head import Head


@pytest.mark.parametrize(("asked", "reached"), [("HEAD", "GET"), ("GET", "GET"), ("POST", "POST")])
async def test_head_reaches_a_route_as_get(asked: str, reached: str) -> None:
    """The request that the server keeps is not changed: by it uvicorn knows that no body may follow."""
    seen: list[Any] = []

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        seen.append(scope["method"])

    async def receive() -> Message:
        raise AssertionError("nothing is read")

    async def send(_: Message) -> None:
        raise AssertionError("nothing is sent")

    scope = {"type": "http", "method": asked}
    await Head(app)(scope, receive, send)
    assert (seen, scope["method"]) == ([reached], asked)
