"""HTTP and WebSocket on one port: a deadline for every request, few connections without one."""

import asyncio
from dataclasses import replace

import pytest

from server.gateway.limits import PRODUCTION
from server.store.connection import Store
from tests.gateway.house import ROOM, House, open_house, request
from tests.waiting import PATIENCE_S, until_so

JSON = "Content-Type: application/json"
HALF = f"POST /echo HTTP/1.1\r\nHost: localhost\r\n{JSON}\r\nContent-Length: 9\r\n".encode()
HELLO = b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def test_http_and_websocket_share_a_port(house: House) -> None:
    """Requests are answered beside viewers, again and again on one connection."""
    await house.join("v1")
    reader, writer = await house.connect()
    for _ in range(2):
        writer.write(HELLO)
        assert b"200 OK" in await asyncio.wait_for(reader.readuntil(b'"hello"'), PATIENCE_S)


@pytest.mark.parametrize(
    ("version", "headers"),
    [
        ("1.1", ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"]),
        ("1.1", ["Upgrade: TLS/1.0", "Connection: upgrade"]),
        ("1.1", ["Connection: Upgrade", "Upgrade: websocket"]),  # a POST is no handshake
        ("1.0", ["Connection: Upgrade, keep-alive", "Upgrade: h2c"]),
    ],
)
async def test_an_unknown_upgrade_is_ignored(house: House, version: str, headers: list[str]) -> None:
    """The request is answered as if nothing had been asked for, its body included; so are those after it (RFC 9110)."""
    reader, writer = await house.connect()
    head = "\r\n".join([f"POST /echo HTTP/{version}", "Host: localhost", JSON, *headers, "Content-Length: 11"])
    writer.write(f"{head}\r\n\r\nfirst".encode())
    await until_so(lambda: len(house.gateway.keepalive.requests) == 1)
    writer.write(b" half.")
    assert b"200 OK" in await asyncio.wait_for(reader.readuntil(b'"first half."'), PATIENCE_S)
    if version == "1.1":
        writer.write(f"{head}\r\n\r\nall at once".encode() + HELLO)
        assert b"200 OK" in await asyncio.wait_for(reader.readuntil(b'"all at once"'), PATIENCE_S)
        assert b"200 OK" in await asyncio.wait_for(reader.readuntil(b'"hello"'), PATIENCE_S)
    assert house.gateway.half_open.held("127.0.0.1") == 0


async def test_a_tunnel_is_refused(house: House) -> None:
    """CONNECT, after which a client would speak another protocol as well, ends with a 4xx."""
    reader, writer = await house.connect()
    writer.write(b"CONNECT example.test:443 HTTP/1.1\r\nHost: example.test:443\r\n\r\n")
    assert (await asyncio.wait_for(reader.readline(), PATIENCE_S)).startswith(b"HTTP/1.1 4")


async def test_who_sends_no_whole_request_in_time_is_cut_off(empty_store: Store) -> None:
    """Silence, a trickling request and a trickling second request all end at the deadline; a viewer does not."""
    async with open_house(empty_store, replace(PRODUCTION, request_ms=1)) as house:
        viewer = await house.join("v1")
        silent, _ = await house.connect()
        trickling, writer = await house.connect()
        writer.write(HELLO[:20])
        second, second_writer = await house.connect()
        second_writer.write(HELLO)
        await asyncio.wait_for(second.readuntil(b'"hello"'), PATIENCE_S)
        second_writer.write(HALF + b"\r\nhalf")
        await until_so(lambda: len(house.gateway.keepalive.requests) == 3)
        await asyncio.sleep(0.01)
        house.gateway.keepalive.turn()
        for reader in (silent, trickling, second):
            await asyncio.wait_for(_end(reader), PATIENCE_S)
        assert house.gateway.metrics.timed_out == 3
        await viewer.socket.send('{"type":"ping","client_ms":1}')
        await viewer.next("pong")
        assert house.gateway.half_open.held("127.0.0.1") == 0


async def test_half_open_connections_of_an_address_are_few(empty_store: Store) -> None:
    """Past the limit a further one that is late is refused; one that sends its request makes room."""
    async with open_house(empty_store, replace(PRODUCTION, half_open_per_address_max=2, late_ms=0)) as house:
        _, first = await house.connect()
        await house.connect()
        await until_so(lambda: len(house.gateway.keepalive.requests) == 2)
        house.gateway.keepalive.turn()
        assert house.gateway.half_open.held("127.0.0.1") == 2
        refused, _ = await house.connect()
        await until_so(lambda: len(house.gateway.keepalive.requests) == 3)
        house.gateway.keepalive.turn()
        assert (await asyncio.wait_for(refused.read(), PATIENCE_S)).startswith(b"HTTP/1.1 503 ")
        first.write(HELLO)
        await until_so(lambda: house.gateway.half_open.held("127.0.0.1") == 1)
        await house.join("v1")
        assert house.gateway.half_open.held("127.0.0.1") == 1


@pytest.mark.parametrize("proxies", ["", "127.0.0.1"])
async def test_viewers_behind_a_proxy_count_for_their_own_addresses(empty_store: Store, proxies: str) -> None:
    """Behind a trusted proxy the limit is each viewer's own; without one the header changes nothing."""
    async with open_house(empty_store, replace(PRODUCTION, connections_per_address_max=1), proxies=proxies) as house:
        answers = []
        for number, address in enumerate(("203.0.113.7", "203.0.113.8", "203.0.113.7")):
            reader, writer = await house.connect()
            writer.write(request(f"/ws/rooms/{ROOM}?viewer=v{number}", f"X-Forwarded-For: {address}"))
            answers.append((await asyncio.wait_for(reader.readline(), PATIENCE_S)).split()[1])
        assert answers == ([b"101", b"101", b"429"] if proxies else [b"101", b"429", b"429"])


async def test_a_proxy_may_have_many_half_open_requests_and_a_client_behind_it_few(empty_store: Store) -> None:
    """A trusted proxy's connections are not refused; of requests without an end each client has its own few."""
    few = replace(PRODUCTION, half_open_per_address_max=1, late_ms=0)
    async with open_house(empty_store, few, proxies="127.0.0.1") as house:
        half = HALF + b"X-Forwarded-For: %b\r\n\r\nhalf"

        async def late(address: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            house.gateway.keepalive.turn()
            reader, writer = await house.connect()
            writer.write(half % address)
            await asyncio.sleep(0.05)
            house.gateway.keepalive.turn()
            return reader, writer

        first, first_writer = await late(b"203.0.113.7")
        assert house.gateway.half_open.held("203.0.113.7") == 1
        _, silent_writer = await house.connect()
        await until_so(lambda: len(house.gateway.keepalive.late) == 1)
        await late(b"203.0.113.8")
        silent_writer.write(half % b"203.0.113.8")  # late before it said whose it is
        assert house.gateway.half_open.held("203.0.113.8") == 1
        refused, _ = await late(b"203.0.113.7")
        assert (await asyncio.wait_for(refused.read(), PATIENCE_S)).startswith(b"HTTP/1.1 503 ")
        first_writer.write(b" full")
        await asyncio.wait_for(first.readuntil(b'"half full"'), PATIENCE_S)
        assert house.gateway.half_open.held("203.0.113.7") == 0
        assert house.gateway.half_open.held("127.0.0.1") == 0


async def _end(reader: asyncio.StreamReader) -> None:
    try:
        await reader.read()
    except ConnectionResetError:
        return
