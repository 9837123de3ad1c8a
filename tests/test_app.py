"""The composition root: a port is had or refused in words, and a server comes up whole and goes down clean."""

import asyncio
import logging
import os
import signal
import socket
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from server.app import CannotServe, facts_of, open_port, serve, set_up_logging
from server.settings import Settings
from server.store.connection import Durability, StoreUnavailable, StoreUnfit
from server.store.embedded.process import EmbeddedStore
from tests.conftest import free_port

SECRET = "a secret of at least 32 bytes....."

ELSEWHERE = ["0.0.0.0", "192.0.2.1", "::", "::12", "example.org", "127.0.0.1.example.org", "localhost.example.org", ""]  # noqa: S104


@pytest.mark.parametrize("host", ELSEWHERE)
def test_an_insecure_server_serves_only_loopback(host: str) -> None:
    """A server that needs no credentials serves only loopback."""
    with pytest.raises(CannotServe, match=r"host: .*--host"):
        open_port(Settings(host=host, port=0, insecure=True))


def test_a_server_with_a_secret_may_be_reached_from_outside() -> None:
    """A server with a secret may serve any address, because every caller needs a credential or a ticket."""
    with open_port(Settings(host="0.0.0.0", port=0, secret=SecretStr(SECRET))) as listener:  # noqa: S104
        assert listener.getsockname()[0] == "0.0.0.0"  # noqa: S104


@pytest.mark.parametrize("insecure", [False, True])
def test_a_short_secret_is_refused(*, insecure: bool) -> None:
    """A key that can be guessed is no key; the text says how to make one."""
    with pytest.raises(CannotServe, match=r"REDRAIN_SECRET has 31 bytes .*32; openssl"):
        open_port(Settings(port=0, secret=SecretStr("x" * 31), insecure=insecure))
    open_port(Settings(port=0, secret=SecretStr("abcdefgh" * 4), insecure=insecure)).close()


@pytest.mark.parametrize("name", ["secret", "secret_previous"])
def test_a_secret_of_few_characters_is_refused(name: str) -> None:
    """Whichever of the two it is, also on an insecure server."""
    given: dict[str, Any] = {"secret": SecretStr(SECRET), name: SecretStr("abab" * 16)}
    with pytest.raises(CannotServe, match=rf"REDRAIN_{name.upper()} has 2 different characters"):
        open_port(Settings(port=0, insecure=True, **given))


def test_a_server_that_nobody_could_call_is_refused() -> None:
    """Without a secret nobody could make a credential; the text names both ways out."""
    with pytest.raises(CannotServe, match=r"REDRAIN_SECRET.*redrain token.*--insecure"):
        open_port(Settings(port=0))


def test_an_insecure_server_trusts_no_proxy() -> None:
    """A proxy brings callers from other machines, whom an insecure server would take for administrators."""
    with pytest.raises(CannotServe, match=r"trusted_proxies: .*REDRAIN_SECRET.*--insecure"):
        open_port(Settings(port=0, insecure=True, trusted_proxies="127.0.0.1"))


def test_an_insecure_server_has_names() -> None:
    """With any name allowed, a page of any web site could call it after DNS rebinding; named hosts are fine."""
    with pytest.raises(CannotServe, match=r"allowed_hosts: .*REDRAIN_SECRET.*--insecure"):
        open_port(Settings(port=0, insecure=True, allowed_hosts="a.example, *"))
    open_port(Settings(port=0, insecure=True, allowed_hosts="a.example")).close()
    open_port(Settings(port=0, secret=SecretStr(SECRET), allowed_hosts="*")).close()


def test_pages_are_told_who_may_come_in() -> None:
    """Before a page can ask, it knows whether people without a credential may do everything, or come in as guests."""
    assert facts_of(Settings()) == {"insecure": "no", "guests": "no"}
    assert facts_of(Settings(insecure=True, guests=True)) == {"insecure": "yes", "guests": "yes"}


def test_a_taken_port_is_told() -> None:
    """The text names the address and what to do about it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotServe, match=rf"127\.0\.0\.1:{port} .*--port"):
            open_port(Settings(port=port, insecure=True))


def test_port_zero_takes_a_free_one() -> None:
    """Two servers that do not care get two ports, of either family."""
    with (
        open_port(Settings(port=0, insecure=True)) as one,
        open_port(Settings(port=0, host="127.0.0.2", insecure=True)) as other,
    ):
        assert one.getsockname()[1] > 0
        assert other.getsockname()[0] == "127.0.0.2"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_serves_until_it_is_told_to_stop(number: signal.Signals, tmp_path: Path) -> None:
    """Ready means that requests are answered; a signal ends it, its store with it, and handlers are as before."""
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    settings = Settings(port=0, home=tmp_path, insecure=True, durability=Durability.RELAXED)
    serving = asyncio.create_task(serve(settings, ready.set_result))
    url = await asyncio.wait_for(ready, 60)
    answer = await asyncio.to_thread(requests.get, f"{url}/readyz", timeout=30)
    assert answer.json() == {"status": "ready"}
    assert "server" not in answer.headers

    os.kill(os.getpid(), number)
    await asyncio.wait_for(serving, 60)
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
    assert not (tmp_path / "store/store.sock").exists()
    with pytest.raises(requests.ConnectionError):
        await asyncio.to_thread(requests.get, f"{url}/healthz", timeout=30)


async def test_a_store_out_of_reach_is_told_before_anything_is_served(tmp_path: Path) -> None:
    """Nobody is told that the server is ready, and the port is free again."""
    port = free_port()
    settings = Settings(port=port, home=tmp_path, insecure=True, store_url=f"redis://127.0.0.1:{free_port()}")
    with pytest.raises(StoreUnavailable, match="REDRAIN_STORE_URL"):
        await serve(settings, _never)
    open_port(settings).close()


async def test_a_store_that_keeps_less_than_promised_is_refused(tmp_path: Path) -> None:
    """A durable server does not work on a relaxed store."""
    store = EmbeddedStore.start(tmp_path / "weak", durability=Durability.RELAXED)
    try:
        with pytest.raises(StoreUnfit):
            await serve(Settings(port=0, home=tmp_path, insecure=True, store_url=store.url), _never)
    finally:
        store.stop()


async def test_a_store_with_another_speed_is_refused(tmp_path: Path) -> None:
    """Room time is one for all servers of a store."""
    store = EmbeddedStore.start(tmp_path / "shared")
    try:
        settings = Settings(port=0, home=tmp_path, insecure=True, store_url=store.url, speed=5)
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        first = asyncio.create_task(serve(settings, ready.set_result))
        await asyncio.wait_for(ready, 60)
        with pytest.raises(StoreUnfit, match="--speed 5"):
            await serve(settings.model_copy(update={"speed": 7}), _never)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(first, 60)
    finally:
        store.stop()


def _never(url: str) -> None:
    raise AssertionError(f"it serves at {url}")


def test_a_log_tells_the_terminal_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a peer has sent stands in a line as an escape."""
    monkeypatch.setattr(logging.root, "handlers", [])
    set_up_logging()
    (handler,) = logging.root.handlers
    line = handler.format(logging.makeLogRecord({"msg": "from %s", "args": ("\x1b[2Jv\u202e",)}))
    assert line.isprintable()
    assert line.endswith(r"from \x1b[2Jv\u202e")
