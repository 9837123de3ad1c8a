"""
A crowd with slow consumers: volleys as in ``volleys``, while some viewers talk and others never read again.

Slow consumers have a small receive buffer, so that their unread messages soon queue in the server. The others send
one grab per volley, and the time from each grab to its receipt is recorded. Runs as its own process.
"""

import asyncio
import os
import socket
import statistics
import sys
from urllib.parse import SplitResult, urlsplit

import orjson
import uvloop

from scripts.bench.volleys import Shooter, Volley, grab_frame

TALKERS = 20
TALK_EVERY_S = 0.05
SAID = "x" * 100
DEAF_BUFFER = 65_536  # with a few KiB the kernel merges segments, which costs more than the server's own work


class Timed(Volley):
    """A volley that records when each receipt arrived."""

    def __init__(self, connections: int) -> None:
        super().__init__(connections)
        self.took_ms: list[float] = []
        self._fired = 0.0

    def fire(self) -> None:
        """Expect one message for every connection, from now on."""
        super().fire()
        self._fired = asyncio.get_running_loop().time()

    def got(self, messages: int) -> None:
        """Count arrived messages, with their time."""
        if messages:
            self.took_ms += [(asyncio.get_running_loop().time() - self._fired) * 1e3] * messages
        super().got(messages)


async def run(url: str, readers: int, deaf: int, packet_ids: list[str]) -> None:
    """Connect, print ``ready``, fire a volley per packet on a line of standard input, and print receipt latencies."""
    volley, nobody = Timed(readers), Volley(0)
    crowd = [
        await _connected(urlsplit(f"{url}?viewer=w{number}"), nobody if number < deaf else volley, deaf=number < deaf)
        for number in range(readers + deaf)
    ]
    await asyncio.gather(*(shooter.ready for shooter in crowd))
    for shooter in crowd[:deaf]:
        shooter.transport.pause_reading()
    shooters = crowd[deaf:]
    talk = asyncio.create_task(_talk(shooters[:TALKERS]))
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    for nth, packet_id in enumerate(packet_ids):
        frames = [grab_frame(packet_id, f"{number:x}-{nth}") for number in range(readers)]
        volley.fire()
        for shooter, frame in zip(shooters, frames, strict=True):
            shooter.transport.write(frame)
        await volley.landed
        await asyncio.sleep(0.2)
    talk.cancel()
    centiles = statistics.quantiles(volley.took_ms, n=100)
    print(orjson.dumps({"p50_ms": centiles[49], "p99_ms": centiles[98]}).decode(), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


async def _connected(url: SplitResult, volley: Volley, *, deaf: bool) -> Shooter:
    loop = asyncio.get_running_loop()
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    if deaf:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, DEAF_BUFFER)
    await loop.sock_connect(sock, (url.hostname, url.port))
    path = f"{url.path}?{url.query}"
    _, shooter = await loop.create_connection(lambda: Shooter(path, url.netloc, volley), sock=sock)
    return shooter


async def _talk(talkers: list[Shooter]) -> None:
    """Let a few viewers comment several times a second; the server broadcasts to all."""
    payload = orjson.dumps({"type": "comment", "text": SAID})
    mask = os.urandom(4)
    frame = bytes((0x81, 0x80 | 126)) + len(payload).to_bytes(2, "big") + mask
    frame += bytes(b ^ mask[i % 4] for i, b in enumerate(payload))
    while True:
        for talker in talkers:
            talker.transport.write(frame)
        await asyncio.sleep(TALK_EVERY_S)


if __name__ == "__main__":
    uvloop.run(run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4].split(",")))
