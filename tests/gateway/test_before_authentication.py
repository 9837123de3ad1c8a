"""Before anybody is known nothing is unlimited: heads, requests that wait, connections, time, and what is not read."""

import asyncio
import logging
import socket
import struct
from collections.abc import Iterable
from dataclasses import replace

import pytest

from server.gateway.limits import HEAD_BYTES_MAX, HEADER_BYTES_MAX, HEADERS_MAX, PIPELINED_MAX, PRODUCTION
from server.store.connection import Store
from tests.gateway.house import House, open_house, request
from tests.waiting import PATIENCE_S, until_so

HELLO = b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
BEGUN = HELLO[:-2]
CHUNKED = (
    b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
)
MIB = 1 << 20
MUCH_BYTES = 8 * MIB


async def status(reader: asyncio.StreamReader) -> int:
    """Return the status of the next answer, 0 if there is none; the connection ends after it."""
    try:
        whole = await asyncio.wait_for(reader.read(), PATIENCE_S)
    except ConnectionResetError:
        return 0
    return int(whole.split()[1]) if whole else 0


async def poured(house: House, start: bytes, more: bytes) -> int:
    """Write *start* and then *more* until the connection ends; return the status that was read, 0 if none."""
    reader, writer = await house.connect()
    said = asyncio.ensure_future(status(reader))
    writer.write(start)
    for _ in range(MUCH_BYTES // len(more)):
        if said.done() or writer.transport.is_closing():
            break
        writer.write(more)
        try:
            await asyncio.wait_for(writer.drain(), PATIENCE_S)
        except ConnectionError:
            break
    else:
        pytest.fail("all was taken")
    return await said


@pytest.mark.parametrize(
    ("start", "more", "answer"),
    [
        (BEGUN + b"X: ", b"x" * 1_000, 431),
        (BEGUN, b"X: y\r\n" * 100, 431),
        (BEGUN, b"x" * 1_000, 431),
        (b"GET /", b"x" * 1_000, 414),
        (
            b"GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX: ",
            b"x" * 999,
            431,
        ),
        (HELLO[:4], b"x" * 1_000, 414),
        (CHUNKED + b"2\r\nok\r\n0\r\nX: ", b"x" * 1_000, 431),  # a trailer
        (CHUNKED + b"2;x=", b"x" * 1_000, 431),  # a chunk's extension
        (b"", b"\r\n" * 500, 431),
    ],
)
async def test_a_head_without_end_is_cut_off(house: House, start: bytes, more: bytes, answer: int) -> None:
    """It is refused after 16 KiB, whatever it consists of, and soon nothing more of it is read."""
    assert await poured(house, start, more) in (answer, 0)  # 0: the answer was lost, since the peer only wrote
    assert house.gateway.metrics.turned_away
    reader, writer = await house.connect()
    writer.write(HELLO)
    assert b"200" in await asyncio.wait_for(reader.readline(), PATIENCE_S)


def head(headers: Iterable[str]) -> bytes:
    return "\r\n".join(["GET /hello HTTP/1.1", "Host: localhost", "Connection: close", *headers, "\r\n"]).encode()


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ([f"X-{number}: y" for number in range(HEADERS_MAX - 2)], 200),
        ([f"X-{number}: y" for number in range(HEADERS_MAX - 1)], 431),
        (["X: " + "y" * (HEADER_BYTES_MAX - 1)], 200),
        (["X: " + "y" * HEADER_BYTES_MAX], 431),
        (["X: " + "y" * (HEAD_BYTES_MAX // 3)] * 2, 200),
        (["X: " + "y" * (HEAD_BYTES_MAX // 3)] * 3, 431),
    ],
)
async def test_a_head_may_have_so_much(house: House, headers: list[str], answer: int) -> None:
    """Just at a limit it is let in; just above it is answered with its status, in one read or byte by byte."""
    for whole in (True, False):
        reader, writer = await house.connect()
        sent = head(headers)
        for part in [sent] if whole else [sent[:70], sent[70:90], sent[90:]]:
            writer.write(part)
            await writer.drain()
        assert await status(reader) == answer


async def test_a_long_line_is_answered(house: House) -> None:
    """The request line has a limit of its own."""
    reader, writer = await house.connect()
    writer.write(HELLO.replace(b"/hello", b"/" + b"x" * 8_200))
    assert await status(reader) == 414


async def test_trailers_are_no_headers(house: House) -> None:
    """Fields after a body do not become fields of the request."""
    reader, writer = await house.connect()
    asked = CHUNKED.replace(b"/echo", b"/late").replace(b"\r\n\r\n", b"\r\nTrailer: X-Late\r\n\r\n")
    writer.write(asked + b"2\r\nok\r\n0\r\nX-Late: 1\r\n\r\n" + HELLO)
    assert b"200 OK" in await asyncio.wait_for(reader.readuntil(b'"ok, none"'), PATIENCE_S)
    assert b"200 OK" in await asyncio.wait_for(reader.readuntil(b'"hello"'), PATIENCE_S)


async def test_requests_that_wait_are_few_and_answered(house: House) -> None:
    """Of a thousand at once those that may wait are answered, in order, then the connection ends."""
    reader, writer = await house.connect()
    writer.write(HELLO * 1_000)
    whole = await asyncio.wait_for(reader.read(), PATIENCE_S)
    assert whole.count(b"200 OK") == whole.count(b'"hello"') == PIPELINED_MAX + 1
    again, writer = await house.connect()
    writer.write(HELLO * PIPELINED_MAX)
    for _ in range(PIPELINED_MAX):
        assert await asyncio.wait_for(again.readuntil(b'"hello"'), PATIENCE_S)


@pytest.mark.parametrize(
    "broken", [b"\x00\x01\r\n\r\n", b"GET /\x00 HTTP/1.1\r\n\r\n", request("/ws/rooms/r1?viewer=v")]
)
async def test_what_follows_an_unanswered_request_never_overtakes_it(house: House, broken: bytes) -> None:
    """The answer to the first request is whole, and the last."""
    reader, writer = await house.connect()
    writer.write(HELLO + broken)
    whole = await asyncio.wait_for(reader.read(), PATIENCE_S)
    assert whole.startswith(b"HTTP/1.1 200 OK")
    assert whole.endswith(b'"hello"')


@pytest.mark.parametrize("part", [b"\x00\x01", b"GET / HTTP/1.1\r\nbad header\r\n\r\n", b"GET / SPDY/9\r\n\r\n"])
async def test_what_is_not_http_is_answered_in_our_words(house: House, part: bytes) -> None:
    """It gets a 400 with a code and a sentence, and no line in the log for each."""
    reader, writer = await house.connect()
    writer.write(part)
    answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"bad_request"' in answer
    assert house.gateway.metrics.turned_away == {"bad_request": 1}


async def test_a_body_that_breaks_off_its_own_request_is_answered(house: House) -> None:
    """The application waits for the rest of the body; the refusal comes instead of its answer."""
    reader, writer = await house.connect()
    writer.write(CHUNKED)
    writer.write(b"zz\r\n")
    assert await status(reader) == 400


async def test_every_request_of_a_connection_has_a_deadline(empty_store: Store) -> None:
    """An empty line begins one too; of a quota that is full nobody gets around it."""
    async with open_house(empty_store, replace(PRODUCTION, request_ms=1, half_open_per_address_max=1)) as house:
        pairs = [await house.connect() for _ in range(4)]
        for number, (reader, writer) in enumerate(pairs):
            writer.write(HELLO)
            await asyncio.wait_for(reader.readuntil(b'"hello"'), PATIENCE_S)
            writer.write([b"\r\n", b"G", BEGUN, CHUNKED][number])
        await until_so(lambda: len(house.gateway.keepalive.requests) == 4)
        await asyncio.sleep(0.01)
        house.gateway.keepalive.turn()
        for reader, _ in pairs:
            assert await status(reader) == 0
        assert len(house.gateway.keepalive.requests) == 0


async def test_an_idle_connection_is_closed(empty_store: Store) -> None:
    """After an answer the next request must begin in time."""
    async with open_house(empty_store, replace(PRODUCTION, idle_ms=0)) as house:
        reader, writer = await house.connect()
        writer.write(HELLO)
        await asyncio.wait_for(reader.readuntil(b'"hello"'), PATIENCE_S)
        await until_so(lambda: len(house.gateway.keepalive.idle) == 1)
        house.gateway.keepalive.turn()
        assert await status(reader) == 0
        assert house.gateway.metrics.timed_out == 0


async def test_a_crowd_that_is_quick_is_not_half_open(empty_store: Store) -> None:
    """150 connections of one address come before the first request does, and all are answered."""
    async with open_house(empty_store) as house:
        pairs = [await house.connect() for _ in range(150)]
        await until_so(lambda: len(house.gateway.keepalive.requests) == 150)
        for _, writer in pairs:
            writer.write(HELLO)
        for reader, _ in pairs:
            await asyncio.wait_for(reader.readuntil(b'"hello"'), PATIENCE_S)
        assert house.gateway.metrics.refused == 0


async def test_a_crowd_of_viewers_of_one_address_gets_in(empty_store: Store) -> None:
    """150 viewers behind one address arrive at once, and production limits turn none of them away."""
    async with open_house(empty_store) as house:
        pairs = [await house.connect() for _ in range(150)]
        for number, (_, writer) in enumerate(pairs):
            writer.write(request(f"/ws/rooms/r1?viewer=v{number}"))
        for reader, _ in pairs:
            assert b" 101 " in await asyncio.wait_for(reader.readline(), PATIENCE_S)
        assert house.gateway.metrics.refused == 0
        assert house.gateway.metrics.turned_away == {}


async def test_connections_of_an_address_are_limited(empty_store: Store) -> None:
    """Past the limit a newcomer is refused; viewers, and those who have left, do not count."""
    async with open_house(empty_store, replace(PRODUCTION, http_connections_per_address_max=2)) as house:
        await house.join("v1")
        for _ in range(2):
            await house.connect()
        await until_so(lambda: house.gateway.http_connections.held("127.0.0.1") == 2)
        refused, _ = await house.connect()
        assert await status(refused) == 503
        house.gateway.keepalive.make_room()
        await until_so(lambda: house.gateway.http_connections.held("127.0.0.1") == 1)
        await house.join("v2")
        await until_so(lambda: house.gateway.http_connections.held("127.0.0.1") == 1)


async def test_a_full_server_makes_room(house: House) -> None:
    """A newcomer takes the place of the oldest request without an end; beside viewers alone there is none."""
    viewer = await house.join("v1")
    house.gateway.connections_max = 2
    held = [(await house.connect())[0]]
    await until_so(lambda: len(house.gateway.keepalive.requests) == 1)
    reader, writer = await house.connect()
    writer.write(HELLO)
    assert await asyncio.wait_for(reader.readuntil(b'"hello"'), PATIENCE_S)
    assert await status(held[0]) == 0
    house.gateway.connections_max = 1
    writer.close()
    await until_so(lambda: len(house.server.server_state.connections) == 1)
    refused, _ = await house.connect()
    assert await status(refused) == 503
    await viewer.socket.send('{"type":"ping","client_ms":1}')
    await viewer.next("pong")


async def test_who_reads_nothing_is_cut_off(empty_store: Store) -> None:
    """An answer that nobody reads has a deadline; one that is read slowly is read to its end."""
    async with open_house(empty_store, replace(PRODUCTION, unread_ms=0)) as house:
        big = b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n"
        slow, slow_writer = await house.connect()
        slow_writer.write(big)
        await until_so(lambda: len(house.gateway.keepalive.unread) == 1)
        await asyncio.wait_for(slow.readexactly(12 * MIB), PATIENCE_S)
        house.gateway.keepalive.turn()
        await asyncio.wait_for(slow.readexactly(4 * MIB), PATIENCE_S)
        _, writer = await house.connect()
        writer.write(big)
        await until_so(lambda: len(house.gateway.keepalive.unread) == 1)
        house.gateway.keepalive.turn()
        await until_so(lambda: house.gateway.metrics.timed_out == 1)
        await until_so(lambda: len(house.gateway.keepalive.unread) == 0)


async def test_a_reader_that_vanishes_is_no_error(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """Whenever it resets the connection, in a body or in an answer, nothing is logged."""
    caplog.set_level(logging.WARNING)
    for data in (b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3, HELLO * 5, CHUNKED[:-2], BEGUN):
        for pause_s in (0, 0.01):
            _, writer = await house.connect()
            writer.write(data)
            await asyncio.sleep(pause_s)
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
    await until_so(lambda: not house.server.server_state.connections)
    await until_so(lambda: not house.server.server_state.tasks)
    assert caplog.records == []
