"""The echo, over real sockets: on the frame path of a room, and only for whoever may have it."""

import asyncio
from typing import Any

import pytest
from websockets.asyncio.client import connect

from server.gateway.echo import ECHO_BYTES_MAX, EchoConnection
from tests.gateway.house import House, RawGuest, masked, request
from tests.waiting import PATIENCE_S

CONT, TEXT, BINARY, FIN = 0, 1, 2, 0x80


@pytest.fixture
async def echo(house: House) -> RawGuest:
    """Shake hands with the echo of a server with diagnostics."""
    house.gateway.diagnostics = True
    reader, writer = await house.connect()
    writer.write(request("/ws/echo"))
    assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)).startswith(b"HTTP/1.1 101 ")
    return RawGuest(reader, writer)


async def test_every_kind_of_message_comes_back(house: House) -> None:
    """Small and large ones, texts and bytes, whole and in fragments."""
    house.gateway.diagnostics = True
    url = f"ws://127.0.0.1:{house.port}/ws/echo"
    async with asyncio.timeout(PATIENCE_S), connect(url, max_size=None, compression=None, proxy=None) as line:
        for message in ("", "红包", b"", b"\x00\xff", "x" * 70_000, b"y" * 3_000_000):
            await line.send(message)
            assert await line.recv() == message
        await line.send(["a", "b", "c"])
        assert await line.recv() == "abc"


async def test_what_breaks_the_protocol_ends_it(echo: RawGuest) -> None:
    """Fragments of bytes stay bytes; a small text that is not UTF-8 is answered 1007."""
    echo.writer.write(masked(b"a", BINARY) + masked(b"b", FIN | CONT))
    assert await echo.frame() == (BINARY, b"ab")
    echo.writer.write(masked(b"\xff"))
    assert await echo.close_code() == 1007


async def test_a_close_is_answered_and_a_message_has_a_bound(house: House, echo: RawGuest) -> None:
    """The bound is checked before the payload is read."""
    echo.writer.write(b"\x81\xff" + (ECHO_BYTES_MAX + 1).to_bytes(8, "big") + bytes(4))
    assert await echo.close_code() == 1009
    reader, writer = await house.connect()
    writer.write(request("/ws/echo"))
    await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
    writer.write(masked((1000).to_bytes(2, "big"), 0x88))
    assert await RawGuest(reader, writer).close_code() == 1000


async def test_a_peer_that_does_not_read_is_not_read_from(house: House, echo: RawGuest) -> None:
    """Its messages stay with it, so that the server's memory does not grow."""
    connections: set[Any] = house.server.server_state.connections
    (line,) = (each for each in connections if isinstance(each, EchoConnection))
    large = masked(b"z" * 60_000, FIN | BINARY)
    sent = 0
    while line._transport.is_reading():
        echo.writer.write(large)
        sent += 1
        await asyncio.sleep(0)
        assert sent < 1_000
    for _ in range(sent):
        assert (await echo.frame())[1] == b"z" * 60_000


@pytest.mark.parametrize("address", ["127.0.0.1", "192.0.2.1"])
async def test_only_a_server_with_diagnostics_has_one_for_its_own_machine(
    house: House, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody else is told what is served."""
    house.gateway.diagnostics = address != "127.0.0.1"
    monkeypatch.setattr("server.gateway.connection.is_loopback", lambda _: address == "127.0.0.1")
    reader, writer = await house.connect()
    writer.write(request("/ws/echo"))
    assert b" 404 " in await asyncio.wait_for(reader.readline(), PATIENCE_S)


async def test_it_ends_with_the_server(house: House, echo: RawGuest) -> None:
    """Whoever is connected is told why."""
    house.server.should_exit = True
    assert await echo.close_code() == 1012
