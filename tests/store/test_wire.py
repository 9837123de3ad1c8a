"""Connections write what the library's own would, and none reads package metadata."""

import importlib.metadata
from typing import Any

import pytest
from redis.asyncio import Connection
from redis.exceptions import DataError

from server.core.orders.order import OrderState
from server.store.connection import client_for
from server.store.wire import SocketFileConnection, TcpConnection, TlsConnection, driver_info


@pytest.mark.parametrize(
    "command",
    [
        ("GET", "a key"),
        (b"GET", b"\x00\xff\r\n"),
        ("CONFIG GET", "maxmemory-policy", "appendonly"),
        (b"SCRIPT EXISTS", "0" * 40),
        ("EVALSHA", "f" * 40, 2, "{c1}:a", "{c1}:b", -1, 2**70, 0.1, "红包雨", ""),
        ("HSET", "key", OrderState.PAID, "v" * 100_000),
        ("SET", "key", bytearray(b"x"), memoryview(b"y")),
    ],
)
def test_a_command_is_written_as_the_library_writes_it(command: tuple[Any, ...]) -> None:
    """Whatever is sent: names of several words, bytes, numbers, texts of any length, and what hiredis does not know."""
    assert b"".join(TcpConnection().pack_command(*command)) == b"".join(Connection().pack_command(*command))


@pytest.mark.parametrize("wrong", [None, True, [1]])
def test_what_is_no_argument_is_refused_as_by_the_library(wrong: object) -> None:
    with pytest.raises(DataError):
        TcpConnection().pack_command("SET", "key", wrong)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("redis://127.0.0.1:1", TcpConnection),
        ("rediss://127.0.0.1:1", TlsConnection),
        ("unix:///nowhere", SocketFileConnection),
    ],
)
def test_a_connection_of_each_kind_is_made_without_reading_metadata(
    url: str, kind: type[Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library and its version are told to the store, and read once."""
    assert driver_info().lib_version == importlib.metadata.version("redis")

    def read_again(name: str) -> str:
        raise AssertionError(name)

    monkeypatch.setattr(importlib.metadata, "version", read_again)
    connection = client_for(url).connection_pool.make_connection()  # type: ignore[no-untyped-call]
    assert type(connection) is kind
    assert connection.driver_info is driver_info()
