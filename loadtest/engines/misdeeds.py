"""
Misdeeds: what a hostile client does once, and what the server makes of it.

None can win a share or be heard by others: the audit of the honest audience needs to know nothing of them.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from random import Random

from websockets.frames import Frame, Opcode

from client_sim.frames import text_frame
from client_sim.message_cache import MessageCache
from loadtest.scenarios.hostile import CUT_OFF, HELD, LET_IN, Misdeed
from loadtest.targets.redrain import RedrainSession

CONNECT_S = 10.0
HELD_S = 20.0  # how long a client hangs on at most: longer than a request may take (docs/limits.md)
FLOOD_MESSAGES = 400  # more than may be sent, and refused, in a minute
RECONNECTS = 20  # of one client, one after the other
POURED_BYTES = 1 << 20
_DEAF_BUFFER = 4_096
_HELLO = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
_FRAMES = (
    Frame(Opcode.TEXT, b"{}").serialize(mask=False),  # a client must mask
    Frame(Opcode.TEXT, b"\xff\xfe").serialize(mask=True),  # is not UTF-8
    bytes((0xF1, 0x80)) + bytes(4),  # reserved bits
    bytes((0x09, 0x80)) + bytes(4),  # a ping in parts
)


@dataclass(frozen=True, slots=True)
class Victim:
    """The server that is attacked: its address, one of its rooms, and the local address to attack from, or ""."""

    host: str
    port: int
    room_id: str
    local_host: str = ""

    async def connect(self, *, buffer_bytes: int = 0) -> "HostileLine":
        """Connect. Raises OSError or TimeoutError."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            if buffer_bytes:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
            if self.local_host:
                sock.bind((self.local_host, 0))
            loop = asyncio.get_running_loop()
            await asyncio.wait_for(loop.sock_connect(sock, (self.host, self.port)), CONNECT_S)
            return HostileLine(*await asyncio.open_connection(sock=sock, limit=1 << 16), self)
        except BaseException:
            sock.close()
            raise


class HostileLine:
    """One connection to the victim, over HTTP at first."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, victim: Victim) -> None:
        self._reader = reader
        self.writer = writer
        self._victim = victim
        self._session: RedrainSession | None = None

    async def join(self, name: str, *, headers: str = "", query: str = "") -> str:
        """Join the room under a name; return "" or the status of the refusal."""
        netloc = f"{self._victim.host}:{self._victim.port}"
        path = f"/ws/rooms/{self._victim.room_id}?{query or f'viewer={name}'}"
        self._session = session = RedrainSession(netloc, path, MessageCache(), 0)
        self.writer.write(session.start().replace(b"\r\n\r\n", f"\r\n{headers}\r\n".encode()))
        while not session.entered:
            data = await asyncio.wait_for(self._reader.read(4_096), HELD_S)
            session.feed(data)
            if session.over or not data:
                return str(session.rejection().status or CUT_OFF)
        return ""

    async def pour(self, data: bytes, times: int = 1) -> None:
        """Write until it is written or the other side has had enough."""
        with suppress(OSError):
            for _ in range(times):
                self.writer.write(data)
                await asyncio.wait_for(self.writer.drain(), HELD_S)

    async def ending(self, held_s: float | None = None) -> str:
        """Wait for the end: an HTTP status, the code of a close, that it was cut off, or that it is held still."""
        said, deadline = b"", asyncio.get_running_loop().time() + (HELD_S if held_s is None else held_s)
        try:
            while data := await asyncio.wait_for(
                self._reader.read(1 << 16), max(0.01, deadline - asyncio.get_running_loop().time())
            ):
                if self._session is not None:
                    self._session.feed(data)
                    if self._session.over:
                        break
                elif len(said) < 64:
                    said += data
        except TimeoutError:
            return HELD
        except OSError:
            pass
        if self._session is None:
            return said.split()[1].decode() if said.startswith(b"HTTP/1.1 ") else CUT_OFF
        code, _ = self._session.ending()
        return CUT_OFF if code == 1006 else f"close {code}"


async def commit(misdeed: Misdeed, victim: Victim, rng: Random) -> str:
    """Commit a misdeed once and return its outcome, in a word or two. Raises OSError or TimeoutError."""
    if misdeed is Misdeed.RECONNECT_STORM:
        return await _reconnect(victim, rng)
    line = await victim.connect(buffer_bytes=_DEAF_BUFFER if misdeed is Misdeed.DEAF else 0)
    try:
        if misdeed in _BEFORE:
            return await _BEFORE[misdeed](line)
        headers = {Misdeed.FOREIGN_ORIGIN: "Origin: http://evil.example\r\n"}.get(misdeed, "")
        query = f"ticket={'A' * 40}.{rng.getrandbits(64):x}" if misdeed is Misdeed.FORGED_TOKEN else ""
        refused = await line.join(f"hostile{rng.getrandbits(48):x}", headers=headers, query=query)
        if refused or misdeed not in _INSIDE:
            return refused or LET_IN
        return await _INSIDE[misdeed](line, rng)
    finally:
        line.writer.transport.abort()


async def _reconnect(victim: Victim, rng: Random) -> str:
    """Join and drop the connection again and again under one name; return how the last one was received."""
    name, outcome = f"hostile{rng.getrandbits(48):x}", ""
    for _ in range(RECONNECTS):
        line = await victim.connect()
        try:
            outcome = await line.join(name)
        finally:
            line.writer.transport.abort()
    return outcome or LET_IN


async def _half_request(line: HostileLine) -> str:
    await line.pour(_HELLO + b"X-Half: ")
    return await line.ending()


async def _endless_headers(line: HostileLine) -> str:
    waiting = asyncio.ensure_future(line.ending())
    await line.pour(_HELLO + b"X: ")
    await line.pour(b"x" * 4_096, POURED_BYTES // 4_096)
    return await waiting


async def _giant_message(line: HostileLine, _: Random) -> str:
    whole = Frame(Opcode.TEXT, os.urandom(1 << 16)).serialize(mask=True)
    await line.pour(whole[: 1 << 14])
    return await line.ending()


async def _half_frame(line: HostileLine, rng: Random) -> str:
    whole = text_frame(b'{"type":"ping","client_ms":1}')
    await line.pour(whole[: rng.randint(1, len(whole) - 1)])
    return await line.ending()


async def _broken_frame(line: HostileLine, rng: Random) -> str:
    await line.pour(rng.choice(_FRAMES))
    return await line.ending()


async def _malformed_messages(line: HostileLine, rng: Random) -> str:
    nonsense = (
        b"{",
        b"[]",
        b'{"type":"grab"}',
        b'{"type":"nope"}',
        b"\x00",
        b"9" * 400,
        b'{"type":"comment","text":7}',
    )
    for _ in range(30):
        await line.pour(text_frame(rng.choice(nonsense)))
    return await line.ending()


async def _unknown_packets(line: HostileLine, rng: Random) -> str:
    """Grab what does not exist, faster than answers come; the connection is kept, or closed for flooding."""
    for number in range(40):
        packet = f"evil.{rng.getrandbits(24):x}".encode()
        await line.pour(text_frame(b'{"type":"grab","packet_id":"%b","request_id":"h%d"}' % (packet, number)))
    return await line.ending(2.0)


async def _flood(line: HostileLine, _: Random) -> str:
    await line.pour(text_frame(b'{"type":"ping","client_ms":1}') * 20, FLOOD_MESSAGES // 20)
    return await line.ending()


async def _deaf(line: HostileLine, _: Random) -> str:
    """Read nothing, while the server would have much to say: every ping wants an answer."""
    await line.pour(text_frame(b'{"type":"ping","client_ms":1}'), FLOOD_MESSAGES // 4)
    await asyncio.sleep(HELD_S / 2)
    return await line.ending(1.0)


_BEFORE: Mapping[Misdeed, Callable[[HostileLine], Awaitable[str]]] = {
    Misdeed.HALF_REQUEST: _half_request,
    Misdeed.ENDLESS_HEADERS: _endless_headers,
}
_INSIDE: Mapping[Misdeed, Callable[[HostileLine, Random], Awaitable[str]]] = {
    Misdeed.GIANT_MESSAGE: _giant_message,
    Misdeed.HALF_FRAME: _half_frame,
    Misdeed.BROKEN_FRAME: _broken_frame,
    Misdeed.MALFORMED_MESSAGES: _malformed_messages,
    Misdeed.UNKNOWN_PACKETS: _unknown_packets,
    Misdeed.FLOOD: _flood,
    Misdeed.DEAF: _deaf,
}
