"""
One real server for all tests of the HTTP side, started as a person starts it.

It ends with the last of them: rooms that nobody looks at any more would cost a tenth of a core until the session ends.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from loadtest.run.server_process import ServerProcess
from server.api.credentials import Credentials
from server.core import credential
from server.core.credential import Role
from server.gateway.signing import Signer
from tests.api.caller import Caller

SPEED = 10
RULEBOOKS = {"acme": {"base": "douyin", "launch_modes": ["manual"], "reversal_delay_ms": 0}}  # opens at once
SECRET = "a secret of at least 32 bytes....."
MINUTE_MS = 60_000


@pytest.fixture(scope="package")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run ``redrain serve`` with a store of its own on a free port; tests keep apart by fresh names."""
    options = ["--speed", str(SPEED), "--durability", "relaxed", "--diagnostics"]
    server = ServerProcess(tmp_path_factory.mktemp("server"), options, RULEBOOKS)
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


@pytest.fixture(scope="package")
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


@dataclass(frozen=True, slots=True)
class Guarded:
    """A server that asks for credentials, and the secret to make them with."""

    url: str
    log: Callable[[], str]

    def credential(self, role: Role, subject: str) -> str:
        caller = credential.Caller(role, subject)
        now_ms = time.time_ns() // 1_000_000
        return Credentials(Signer(SECRET.encode())).mint(caller, lasts_ms=10 * MINUTE_MS, now_ms=now_ms)

    def calls(self, role: Role, subject: str) -> Caller:
        return Caller(self.url, self.credential(role, subject))


@pytest.fixture(scope="package")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """Run a server that takes nobody's word, but a proxy's about addresses."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REDRAIN_SECRET", SECRET)
        options = ["--durability", "relaxed", "--trusted-proxies", "127.0.0.1"]
        server = ServerProcess(tmp_path_factory.mktemp("guarded"), options, insecure=False)
    try:
        yield Guarded(server.wait_until_ready(), lambda: server.log.read_text("utf-8"))
    finally:
        status = server.stop()
    assert status == 0, server.tail()
