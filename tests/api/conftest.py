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
    try:
        yield server.wait_until_ready()
    finally:
        status = server.stop()
    assert status == 0, server.tail()


@pytest.fixture
def api(base_url: str) -> Iterator[Caller]:
    """Call the server, and hold each answer against what its OpenAPI document promises."""
    with Caller(base_url) as caller:
        yield caller


@pytest.fixture(scope="session")
def plain_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a server as production would: nothing is opened for a lab."""
    server = ServerProcess(tmp_path_factory.mktemp("plain"), ["--durability", "relaxed"])
    try:
        yield server.wait_until_ready()
    finally:
        status = server.stop()
    assert status == 0, server.tail()


@pytest.fixture
def plain_api(plain_url: str) -> Iterator[Caller]:
    """Call the server that is run as production would."""
    with Caller(plain_url) as caller:
        yield caller
