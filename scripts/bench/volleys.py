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

    def figures(self) -> dict[str, float]:
        """Return the number of receipts, how many came a second, and the median and 99th percentile of their waits."""
        waits = [wait_ms for wait_ms, messages in sorted(self.waits_ms) for _ in range(messages)]
        return {
            "grabs": len(waits),
            "grabs_per_second": len(waits) / self.seconds,
            "latency_p50_ms": waits[len(waits) // 2],
            "latency_p99_ms": waits[len(waits) * 99 // 100],
        }

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


async def shoot(url: str, connections: int, packet_ids: list[str]) -> None:
    """
    Connect, print ``ready``, and after a line of standard input fire one volley per packet and print ``done``.

    After another line the figures of all volleys are printed as JSON.
    """
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    loop = asyncio.get_running_loop()
    volley = Volley(connections)
    shooters = []
    for number in range(connections):
        path = f"{parts.path}?viewer=w{number}"
        _, shooter = await loop.create_connection(
            lambda path=path: Shooter(path, parts.netloc, volley),  # type: ignore[misc]
            parts.hostname,
            parts.port,
        )
        shooters.append(shooter)
    await asyncio.gather(*(shooter.ready for shooter in shooters))
    frames = [[grab_frame(packet, f"{number:x}-{nth}") for number in range(connections)]
              for nth, packet in enumerate(packet_ids)]  # fmt: skip
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)
    for of_packet in frames:
        volley.fire()
        for shooter, frame in zip(shooters, of_packet, strict=True):
            shooter.transport.write(frame)
        await volley.landed
    print("done", flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)
    print(orjson.dumps(volley.figures()).decode(), flush=True)
    for shooter in shooters:
        shooter.transport.close()


if __name__ == "__main__":
    uvloop.run(shoot(sys.argv[1], int(sys.argv[2]), sys.argv[3].split(",")))
