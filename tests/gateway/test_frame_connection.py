"""Frames of a connection, over real sockets: in pieces, together, in fragments, and broken."""

import asyncio

import pytest

from server.gateway.connection import RoomConnection
from tests.gateway.house import House, masked
from tests.waiting import until_so

PING = b'{"type":"ping","client_ms":7}'


async def test_a_frame_may_come_byte_by_byte(house: House) -> None:
    """A frame that arrives in pieces is read as if it had come at once, and the next whole one as well."""
    guest = await house.raw()
    for byte in masked(PING):
        guest.writer.write(bytes([byte]))
        await guest.writer.drain()
        await asyncio.sleep(0)
    guest.writer.write(masked(PING))
    assert [(await guest.message())["client_ms"] for _ in range(2)] == [7, 7]


async def test_frames_may_come_together(house: House) -> None:
    """Several frames in one read are answered one by one, in order; a part of a last one waits for its rest."""
    guest = await house.raw()
    last = masked(b'{"type":"ping","client_ms":3}')
    guest.writer.write(masked(b'{"type":"ping","client_ms":1}') + masked(b'{"type":"ping","client_ms":2}') + last[:9])
    assert [(await guest.message())["client_ms"] for _ in range(2)] == [1, 2]
    guest.writer.write(last[9:])
    assert (await guest.message())["client_ms"] == 3


async def test_a_message_may_be_fragmented(house: House) -> None:
    """Fragments make one message, also around a control frame; a whole frame between them is against the protocol."""
    guest = await house.raw()
    guest.writer.write(masked(PING[:5], head=0x01) + masked(b"?", head=0x89) + masked(PING[5:9], head=0x00))
    assert (await guest.frame()) == (10, b"?")
    guest.writer.write(masked(PING[9:], head=0x80))
    assert (await guest.message())["client_ms"] == 7

    guest.writer.write(masked(PING[:5], head=0x01))
    await guest.writer.drain()
    guest.writer.write(masked(PING))
    assert await guest.close_code() == 1002


async def test_the_parser_of_frames_that_are_not_plain_is_dropped(house: House) -> None:
    """After a frame in pieces nothing of it stays: a million idle viewers need no parser."""
    guest = await house.raw()
    [connection] = house.server.server_state.connections
    assert isinstance(connection, RoomConnection)
    guest.writer.write(masked(PING)[:7])
    await until_so(lambda: connection.parsing)
    guest.writer.write(masked(PING)[7:])
    await guest.message()
    await until_so(lambda: not connection.parsing)


async def test_a_ping_is_ponged_and_a_pong_ignored(house: House) -> None:
    """Control frames are answered as the protocol says and disturb nothing."""
    guest = await house.raw()
    guest.writer.write(masked(b"abc", head=0x89))
    assert (await guest.frame()) == (10, b"abc")
    guest.writer.write(masked(b"", head=0x8A))
    guest.writer.write(masked(PING))
    assert (await guest.message())["type"] == "pong"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (masked(b"x" * 4_097), 1009),
        (b"\x81\xff" + (1 << 40).to_bytes(8, "big"), 1009),
        (masked(b"x" * 3_000, head=0x01) + masked(b"x" * 3_000, head=0x80), 1009),
        (masked(b"\xff\xfe"), 1007),
        (masked(b"\xff" * 200), 1007),
        (masked(b"{}", head=0x82), 1003),
        (masked(b"{", head=0x02), 1003),
        (b"\x81\x02{}", 1002),
        (masked(b"{}", head=0xC1), 1002),
        (masked(b"{}", head=0x83), 1002),
        (masked(b"{}", head=0x80), 1002),
        (b"GET / HTTP/1.1\r\n\r\n", 1002),
        (masked((1000).to_bytes(2, "big") + b"bye", head=0x88), 1000),
    ],
    ids=[
        "oversize", "oversize announced", "oversize in fragments", "no UTF-8", "no UTF-8, long", "binary",
        "binary fragment", "unmasked", "reserved bit", "unknown opcode", "continuation of nothing", "no frame at all",
        "close",
    ],
)  # fmt: skip
async def test_what_breaks_the_protocol_ends_with_its_code(house: House, sent: bytes, code: int) -> None:
    """Each way to end a connection is answered by its close code and the end of the stream."""
    guest = await house.raw()
    guest.writer.write(sent)
    assert await guest.close_code() == code
    guest.writer.close()
    await until_so(lambda: house.gateway.metrics.connected == 0)


async def test_a_message_of_the_largest_size_lives(house: House) -> None:
    """A frame of 4,096 bytes is read, though it is not a valid message."""
    guest = await house.raw()
    guest.writer.write(masked(b"x" * 4_096))
    assert (await guest.message())["code"] == "malformed_json"
