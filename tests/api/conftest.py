"""One real server for all tests of the HTTP side, started as a person starts it."""

from collections.abc import Iterator

import pytest

from loadtest.processes import ServerProcess
from tests.api.caller import Caller

SPEED = 10


@pytest.fixture(scope="session")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run ``redrain serve`` with a store of its own on a free port; tests keep apart by fresh names."""
    options = ["--speed", str(SPEED), "--durability", "relaxed", "--diagnostics"]
    server = ServerProcess(tmp_path_factory.mktemp("server"), options)
    yield server.wait_until_ready()
    assert server.stop() == 0, server.tail()


@pytest.fixture
def api(base_url: str) -> Iterator[Caller]:
    """Call the server, and hold each answer against what its OpenAPI document promises."""
    with Caller(base_url) as caller:
        yield caller
