"""
Volleys: all connections send one grab each, all receipts are awaited, then the next packet follows.

Every grab is the first of its viewer for its packet, so the batch size does not depend on the generator. Raw uvloop
and frames masked beforehand keep it light; it runs as its own process: ``python -m scripts.bench.volleys``.
"""

import asyncio
import base64
import os
import sys
import time
from collections.abc import Sequence
from itertools import cycle
from typing import cast
from urllib.parse import urlsplit

import orjson
import uvloop

_KEY = base64.b64encode(os.urandom(16)).decode()


class VolleyFailed(Exception):  # noqa: N818 - the reason stands at the end of what the process says
    """A volley measures nothing: a grab was of no packet, or a connection was lost."""


class Volley:
    """Waits until every connection has received its expected message, or one of them fails."""

    def __init__(self, connections: int) -> None:
        self._connections = connections
        self._left = 0
        self._fired_s = 0.0
        self.waits_ms: list[tuple[float, int]] = []  # how long receipts took, and how many came at once
        self.seconds = 0.0
        self.landed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def fire(self) -> None:
        """Expect one message for every connection."""
        self._left = self._connections
        self._fired_s = time.perf_counter()
        self.landed = asyncio.get_running_loop().create_future()

    def got(self, messages: int) -> None:
        """Count arrived messages."""
        if not messages:
            return
        self._left -= messages
        waited_s = time.perf_counter() - self._fired_s
        self.waits_ms.append((waited_s * 1000, messages))
        if self._left == 0 and not self.landed.done():
            self.seconds += waited_s
            self.landed.set_result(None)

    def fail(self, reason: str) -> None:
        """End the volley under way, if there is one, with VolleyFailed."""
        if not self.landed.done():
            self.landed.set_exception(VolleyFailed(reason))


class Shooter(asyncio.Protocol):
    """One connection. It counts receipts and ignores other messages of the room."""

    def __init__(self, path: str, host: str, volley: Volley) -> None:
        self._request = (
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {_KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        ).encode()
        self._volley = volley
        self._open = False
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Count receipts."""
        if self._open:
            if b'"not_found"' in data:
                self._volley.fail("a grab was of no packet in this room")
            self._volley.got(data.count(b'"receipt"'))
        elif b" 101 " in data:
            self._open = True
            self.ready.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail: a lost connection invalidates the measurement."""
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("refused"))
        self._volley.fail("a connection was lost")


def grab_frame(packet_id: str, request_id: str) -> bytes:
    """Return a masked text frame with a grab."""
    payload = orjson.dumps({"type": "grab", "packet_id": packet_id, "request_id": request_id})
    assert len(payload) < 126
    mask = os.urandom(4)
    return bytes((0x81, 0x80 | len(payload))) + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload))


class Battery:
    """All connections to one server, and the grabs that they will send: a volley for each packet, and then again."""

    def __init__(self, url: str, connections: int, packet_ids: Sequence[str]) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._host, self._port, self._path, self._netloc = parts.hostname, parts.port, parts.path, parts.netloc
        self.volley = Volley(connections)
        self._shooters: list[Shooter] = []
        self._frames = cycle(
            [[grab_frame(packet, f"{number:x}-{nth}") for number in range(connections)]
             for nth, packet in enumerate(packet_ids)]
        )  # fmt: skip
        self._connections = connections

    async def enter(self) -> None:
        """Connect all, and wait until the server has welcomed them."""
        loop = asyncio.get_running_loop()
        for number in range(self._connections):
            path = f"{self._path}?viewer=w{number}"
            _, shooter = await loop.create_connection(
                lambda path=path: Shooter(path, self._netloc, self.volley),  # type: ignore[misc]
                self._host,
                self._port,
            )
            self._shooters.append(shooter)
        await asyncio.gather(*(shooter.ready for shooter in self._shooters))

    def write(self) -> None:
        """Write the next volley."""
        for shooter, frame in zip(self._shooters, next(self._frames), strict=True):
            shooter.transport.write(frame)

    async def landed(self) -> None:
        """Wait until all of the volley is answered."""
        await self.volley.landed

    def close(self) -> None:
        """Close all connections."""
        for shooter in self._shooters:
            shooter.transport.close()


async def shoot(url: str, connections: int, packet_ids: list[str]) -> None:
    """Connect, print ``ready``, and after a line of standard input fire one volley per packet and print ``done``."""
    battery = Battery(url, connections, packet_ids)
    await battery.enter()
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    for _ in packet_ids:
        battery.volley.fire()
        battery.write()
        await battery.landed()
    print("done", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    battery.close()


if __name__ == "__main__":
    uvloop.run(shoot(sys.argv[1], int(sys.argv[2]), sys.argv[3].split(",")))
