"""Conformance to RFC 6455, section by section, over raw connections to one server (docs/conformance.md)."""

import asyncio
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path

from tests.gateway.house import ROOM, House, RawGuest, masked, request
from tests.waiting import PATIENCE_S

PAGE = Path(__file__).parents[2] / "docs/conformance.md"
FIN, RSV1, RSV2, RSV3 = 0x80, 0x40, 0x20, 0x10
CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
ASK = b'{"type":"ping","client_ms":%d}'
DONE = b'{"type":"ping","client_ms":999}'
TARGET = f"/ws/rooms/{ROOM}?viewer=v"


@dataclass(frozen=True, slots=True)
class FrameCase:
    """
    Bytes sent after the handshake, and what comes back in this order.

    "pong PAYLOAD" is a control frame, "reply N" answers the message ``ping`` N, "error" a text that is no message of
    docs/protocol.md, "close CODE" is the end.
    """

    section: str
    name: str
    sent: tuple[bytes, ...]
    back: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OpeningCase:
    """An opening request, and the status of its answer."""

    section: str
    name: str
    sent: bytes
    status: int
    contains: bytes = b""


def frame(opcode: int, payload: bytes = b"", first: int = FIN) -> bytes:
    """Return a masked frame; *first* holds the FIN and reserved bits."""
    size = len(payload)
    if size < 1 << 16:
        return masked(payload, first | opcode)
    mask = b"\x0a\x1b\x2c\x3d"
    body = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
    return bytes([first | opcode, 0xFF]) + size.to_bytes(8, "big") + mask + body


def close(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, code.to_bytes(2, "big") + reason)


def padded(size: int) -> bytes:
    """Return a message of exactly so many bytes that is answered."""
    return ASK % 5 + b" " * (size - len(ASK % 5))


def frame_cases() -> Iterator[FrameCase]:
    yield from masking_and_lengths()
    yield from reserved()
    yield from control_frames()
    yield from fragments()
    yield from closes()
    yield from texts()


def masking_and_lengths() -> Iterator[FrameCase]:
    for size in (29, 60, 124, 125, 126, 127, 128, 1_000, 4_095, 4_096):
        yield FrameCase("5.2 lengths", f"a text of {size} bytes", (frame(TEXT, padded(size)),), ("reply 5",))
    for size in (4_097, 65_535, 65_536, 1 << 20):
        yield FrameCase("5.2 lengths", f"a text of {size} bytes", (frame(TEXT, padded(size)),), ("close 1009",))
    short = ASK % 5
    mask = bytes(4)
    yield FrameCase("5.2 lengths", "no payload", (frame(TEXT),), ("error",))
    for name, head in (
        ("16", b"\x81\xfe" + len(short).to_bytes(2, "big")),
        ("64", b"\x81\xff" + len(short).to_bytes(8, "big")),
    ):
        yield FrameCase("5.2 lengths", f"a length in {name} bits that needs 7", (head + mask + short,), ("reply 5",))
    huge = b"\x81\xff" + (1 << 62).to_bytes(8, "big")
    yield FrameCase("5.2 lengths", "a length of 2^62", (huge + mask,), ("close 1009",))
    for keys in (b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\x01\x02\x03\x04"):
        yield FrameCase("5.3 masking", f"mask {keys.hex()}", (masked(short, FIN | TEXT, keys),), ("reply 5",))
    for opcode, payload in ((TEXT, short), (PING, b"x"), (PONG, b"x"), (BINARY, b"x"), (CLOSE, b"\x03\xe8")):
        bare = bytes([FIN | opcode, len(payload)]) + payload
        yield FrameCase("5.1 masking", f"opcode {opcode} without a mask", (bare,), ("close 1002",))
    for size in (1, 2, 3, 5, 7, 11):
        whole = frame(TEXT, padded(300)) + frame(PING, b"p")
        parts = tuple(whole[at : at + size] for at in range(0, len(whole), size))
        yield FrameCase("5.2 split", f"in parts of {size} bytes", parts, ("reply 5", "pong p"))


def reserved() -> Iterator[FrameCase]:
    for bits in range(1, 8):
        for opcode in (TEXT, BINARY, PING, CLOSE):
            sent = (frame(opcode, b"", FIN | bits << 4),)
            yield FrameCase("5.2 reserved bits", f"bits {bits:03b} with opcode {opcode}", sent, ("close 1002",))
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        for payload in (b"", b"x"):
            name = f"opcode {opcode}, {len(payload)} bytes"
            yield FrameCase("5.2 reserved opcodes", name, (frame(opcode, payload),), ("close 1002",))


def control_frames() -> Iterator[FrameCase]:
    for size in (0, 1, 124, 125):
        payload = b"p" * size
        yield FrameCase("5.5.2 ping", f"{size} bytes", (frame(PING, payload),), (f"pong {payload.decode()}",))
    yield FrameCase("5.5.2 ping", "of bytes that are no text", (frame(PING, b"\x00\xff\xfe"),), ("pong \x00\xff\xfe",))
    ten = b"".join(frame(PING, b"%d" % number) for number in range(10))
    yield FrameCase("5.5.2 ping", "ten in one write", (ten,), tuple(f"pong {number}" for number in range(10)))
    for opcode in (PING, PONG, CLOSE):
        long = (frame(opcode, b"x" * 126),)
        yield FrameCase("5.5 control", f"opcode {opcode} of 126 bytes", long, ("close 1002",))
        yield FrameCase("5.5 control", f"opcode {opcode} fragmented", (frame(opcode, b"", 0),), ("close 1002",))
    for payload in (b"", b"x", b"x" * 125):
        sent = (frame(PONG, payload) + frame(TEXT, ASK % 5),)
        yield FrameCase("5.5.3 pong", f"unasked, {len(payload)} bytes", sent, ("reply 5",))
    both = frame(TEXT, ASK % 1) + frame(PING, b"a") + frame(TEXT, ASK % 2) + frame(PING, b"b")
    in_order = ("reply 1", "pong a", "reply 2", "pong b")
    yield FrameCase("5.5.2 ping", "answered in the order of arrival", (both,), in_order)
    yield FrameCase("5.5.2 ping", "first of two", (frame(PING, b"a") + frame(TEXT, ASK % 1),), ("pong a", "reply 1"))


def fragments() -> Iterator[FrameCase]:
    first, rest, last = ASK[:5], ASK[5:9], (ASK % 5)[9:]
    parts = [frame(TEXT, first, 0), frame(CONT, rest, 0), frame(CONT, last)]
    yield FrameCase("5.4 fragments", "three in one write", (b"".join(parts),), ("reply 5",))
    yield FrameCase("5.4 fragments", "three, one at a time", tuple(parts), ("reply 5",))
    single = tuple(frame(CONT if at else TEXT, (ASK % 5)[at : at + 1], 0) for at in range(len(ASK % 5)))
    yield FrameCase("5.4 fragments", "one byte each, and an empty last", (*single, frame(CONT)), ("reply 5",))
    empty = (frame(TEXT, b"", 0), frame(CONT, b"", 0), frame(CONT, ASK % 5))
    yield FrameCase("5.4 fragments", "empty ones before", empty, ("reply 5",))
    yield FrameCase("5.4 fragments", "only empty ones", (*empty[:2], frame(CONT)), ("error",))
    between = (parts[0], frame(PING, b"m"), parts[1], frame(PONG), parts[2], frame(PING, b"n"))
    yield FrameCase("5.4 fragments", "control frames between", between, ("pong m", "reply 5", "pong n"))
    yield FrameCase("5.4 fragments", "the same in one write", (b"".join(between),), ("pong m", "reply 5", "pong n"))
    for opcode in (TEXT, BINARY):
        broken = (parts[0], frame(opcode, b"x"))
        yield FrameCase("5.4 fragments", f"a new message with opcode {opcode} inside", broken, ("close 1002",))
    for fin in (0, FIN):
        sent = (frame(CONT, b"x", fin),)
        yield FrameCase("5.4 fragments", f"a continuation of nothing, fin {fin}", sent, ("close 1002",))
        after = (frame(TEXT, ASK % 5), frame(CONT, b"x", fin))
        yield FrameCase("5.4 fragments", f"a continuation after an end, fin {fin}", after, ("reply 5", "close 1002"))
    much = (frame(TEXT, b" " * 4_000, 0), frame(CONT, b" " * 97))
    yield FrameCase("5.4 fragments", "together longer than a message may be", much, ("close 1009",))
    yield FrameCase("5.6 data", "a binary message", (frame(BINARY, b"\x00"),), ("close 1003",))
    yield FrameCase("5.6 data", "an empty binary message", (frame(BINARY),), ("close 1003",))
    yield FrameCase("5.6 data", "a fragmented binary message", (frame(BINARY, b"", 0),), ("close 1003",))
    three = b"".join(frame(TEXT, ASK % number) for number in range(3))
    yield FrameCase("5.6 data", "three texts in one write", (three,), ("reply 0", "reply 1", "reply 2"))


def closes() -> Iterator[FrameCase]:
    for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999):
        yield FrameCase("7.4 close codes", f"{code}", (close(code),), (f"close {code}",))
    for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535):
        yield FrameCase("7.4 close codes", f"{code}, which nobody may send", (close(code),), ("close 1002",))
    yield FrameCase("5.5.1 close", "without a code", (frame(CLOSE),), ("close",))
    yield FrameCase("5.5.1 close", "half a code", (frame(CLOSE, b"\x03"),), ("close 1002",))
    yield FrameCase("5.5.1 close", "a reason", (close(1000, "再见".encode()),), ("close 1000",))
    yield FrameCase("5.5.1 close", "the longest reason", (close(1000, b"x" * 123),), ("close 1000",))
    yield FrameCase("5.5.1 close", "a reason that is too long", (close(1000, b"x" * 124),), ("close 1002",))
    yield FrameCase("5.5.1 close", "a reason that is not UTF-8", (close(1000, b"\xff"),), ("close 1007",))
    after = (close(1000) + frame(TEXT, ASK % 5) + frame(PING, b"x"),)
    yield FrameCase("5.5.1 close", "what follows is not read", after, ("close 1000",))
    yield FrameCase("5.5.1 close", "twice", (close(1000) + close(1001),), ("close 1000",))
    before = (frame(TEXT, ASK % 5) + frame(PING, b"x") + close(1000),)
    yield FrameCase("5.5.1 close", "what came before is answered", before, ("reply 5", "pong x", "close 1000"))


def texts() -> Iterator[FrameCase]:
    for text in ("é", "红包", "😀", "\u0000", "\ufeff", "\ufffe", "\U0010ffff", "\ud7ff", "\ue000"):
        sent = (frame(TEXT, f'{{"type":"x{text}"}}'.encode()) + frame(TEXT, ASK % 5),)
        yield FrameCase("8.1 UTF-8", f"U+{ord(text[0]):04X}", sent, ("error", "reply 5"))
    for broken in (
        *(b"\x80", b"\xbf", b"\xc0\xaf", b"\xc1\xbf", b"\xc3", b"\xe0\x80\xaf", b"\xe2\x82", b"\xed\xa0\x80"),
        *(b"\xed\xbf\xbf", b"\xf0\x80\x80\xaf", b"\xf0\x9f\x98", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xff"),
    ):
        yield FrameCase("8.1 UTF-8", f"{broken.hex()} in a text", (frame(TEXT, broken),), ("close 1007",))
    split = (frame(TEXT, b'{"type":"\xe7', 0), frame(CONT, b'\xba\xa2"}'), frame(TEXT, ASK % 5))
    yield FrameCase("8.1 UTF-8", "a character in two fragments", split, ("error", "reply 5"))
    torn = (frame(TEXT, b"\xe7", 0), frame(CONT, b"\xff"))
    yield FrameCase("8.1 UTF-8", "a character that a fragment breaks", torn, ("close 1007",))


def opening_cases() -> Iterator[OpeningCase]:
    plain = request(TARGET)

    def case(
        name: str, change: tuple[bytes, bytes], status: int, contains: bytes = b"", *, of: str = "4.2.1"
    ) -> OpeningCase:
        assert change[0] in plain
        return OpeningCase(f"{of} opening", name, plain.replace(*change), status, contains)

    version, key = b"Sec-WebSocket-Version: 13\r\n", b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    upgrade, connection, host = b"Upgrade: websocket\r\n", b"Connection: Upgrade\r\n", b"Host: localhost\r\n"
    digest = sha1(b"AAAAAAAAAAAAAAAAAAAAAA==258EAFA5-E914-47DA-95CA-C5AB0DC85B11", usedforsecurity=False).digest()
    accept = b"sec-websocket-accept: " + b64encode(digest).lower() + b"\r\n"
    says_13 = b"sec-websocket-version: 13\r\n"
    yield OpeningCase("4.2.2 opening", "as it should be", plain, 101, accept)
    for wrong in (b"0", b"8", b"12", b"14", b"255", b"x", b"", b"13, 8", b"013"):
        new = b"Sec-WebSocket-Version: " + wrong + b"\r\n"
        yield case(f"version {wrong.decode()!r}", (version, new), 426, says_13, of="4.4")
    yield case("no version", (version, b""), 426, says_13, of="4.4")
    yield case("two versions", (version, version * 2), 426, says_13, of="4.4")
    yield case("no key", (key, b""), 400)
    yield case("two keys", (key, key * 2), 400)
    for wrong in (b"", b"AAAA", b"x" * 24, b"AAAAAAAAAAAAAAAAAAAAAAAA"):
        yield case(f"key {wrong.decode()!r}", (key, b"Sec-WebSocket-Key: " + wrong + b"\r\n"), 400)
    for name, offered in (
        ("in capitals", b"Upgrade: WebSocket\r\n"),
        ("in a list, last", b"Upgrade: h2c, websocket\r\n"),
        ("in a list, first", b"Upgrade: websocket,h2c\r\n"),
        ("in two headers", b"Upgrade: h2c\r\nUpgrade: websocket\r\n"),
    ):
        yield case(f"Upgrade {name}", (upgrade, offered), 101)
    yield case("no Upgrade", (upgrade, b""), 426, says_13)
    yield case("Upgrade to something else", (upgrade, b"Upgrade: websockets\r\n"), 426, says_13)
    for name, offered in (
        ("in a list", b"Connection: keep-alive, Upgrade\r\n"),
        ("in lower case", b"Connection: upgrade\r\n"),
        ("in two headers", b"Connection: Upgrade\r\nConnection: keep-alive\r\n"),
    ):
        yield case(f"Connection {name}", (connection, offered), 101)
    yield case("no Connection", (connection, b""), 426, says_13)
    yield case("Connection: keep-alive", (connection, b"Connection: keep-alive\r\n"), 426, says_13)
    yield case("HTTP/1.0", (b"HTTP/1.1", b"HTTP/1.0"), 426, says_13)
    yield case("HTTP/1.0 without a Host", (b"HTTP/1.1\r\nHost: localhost", b"HTTP/1.0"), 400)
    yield case("no Host", (host, b""), 400)
    yield case("two Hosts", (host, host * 2), 400)
    yield case("an empty Host", (host, b"Host:\r\n"), 400)
    for method in (b"HEAD", b"OPTIONS"):
        yield case(f"{method.decode()}", (b"GET ", method + b" "), 426, says_13)
    yield case("POST", (b"GET ", b"POST "), 426, says_13)
    yield case("another path", (b"/ws/rooms/r1", b"/ws/elsewhere"), 404)
    yield case("an extension", (host, host + b"Sec-WebSocket-Extensions: permessage-deflate\r\n"), 101, of="9.1")


async def shaken(house: House) -> RawGuest:
    """Open a connection and read the welcome."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(request(TARGET))
    assert b" 101 " in await asyncio.wait_for(reader.readline(), PATIENCE_S)
    await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
    guest = RawGuest(reader, writer)
    await guest.message()
    return guest


async def came_back(guest: RawGuest, case: FrameCase) -> tuple[str, ...]:
    """Send a case, then a last request if the connection is to live on, and return what comes before its answer."""
    for number, part in enumerate(case.sent):
        if number:
            await asyncio.sleep(0)
        guest.writer.write(part)
    if not case.back[-1].startswith("close"):
        guest.writer.write(frame(TEXT, DONE))
    back: list[str] = []
    while True:
        opcode, payload = await guest.frame()
        if opcode == CLOSE:
            back.append(f"close {int.from_bytes(payload[:2], 'big')}" if payload else "close")
            return tuple(back)
        if opcode == PONG:
            back.append(f"pong {payload.decode('latin-1')}")
        elif found := re.search(rb'"type":"pong","client_ms":(\d+)', payload):
            if found[1] == b"999":
                return tuple(back)
            back.append(f"reply {found[1].decode()}")
        elif b'"type":"error"' in payload:
            back.append("error")


async def test_every_frame_case(house: House) -> None:
    """The answers are those that the RFC asks for, in the order of arrival."""
    wrong = []
    for case in frame_cases():
        guest = await shaken(house)
        try:
            back = await came_back(guest, case)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            back = (type(error).__name__,)
        if back != case.back:
            wrong.append(f"{case.section}: {case.name}: {back} instead of {case.back}")
        await guest.leave()
    assert not wrong, "\n".join(wrong)


async def test_every_opening_case(house: House) -> None:
    """A handshake is answered with the status and the headers that the RFC asks for."""
    wrong = []
    for case in opening_cases():
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(case.sent)
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)).lower()
        if int(head.split()[1]) != case.status or case.contains not in head:
            wrong.append(f"{case.section}: {case.name}: {head!r} instead of {case.status}")
        writer.close()
    assert not wrong, "\n".join(wrong)


def test_the_page_counts_the_cases() -> None:
    """The table in the documents has every section with its number of cases."""
    cases = [(case.section, case.name) for case in frame_cases()]
    cases += [(case.section, case.name) for case in opening_cases()]
    assert len(set(cases)) == len(cases) >= 150
    rows = re.findall(r"^\| (\d\S* [\w8 -]+) \| (\d+) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert {name: int(count) for name, count in rows} == Counter(section for section, _ in cases)
