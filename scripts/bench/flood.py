"""
Strangers at the door: requests without an end against a server of its own, with figures.

``python -P -m scripts.bench.flood`` starts a server under production limits and measures its memory under endless
headers, how many connections are left that began a request and stopped, whether a crowd of one address gets in, and
whether an honest client is answered while strangers hold all connections that the process may have. It ends with 1 if
one of the four is not as it should be.
"""

import asyncio
import contextlib
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from scripts.output import console

FLOOD_MB, HELD, CROWD, FILES = 600, 300, 150, 400
FLAT_MB = 16
STRANGER, HONEST = "127.0.0.2", "127.0.0.1"
WAIT_S = 13  # the deadline of a request, and two turns of the timer
PATIENCE_S = 5.0
HELLO = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
HALF = HELLO[:-2] + b"X-Half: "
STREAM_BYTES = 1 << 18
Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Server:
    """A server that was started for the measurement."""

    def __init__(self, pid: int, port: int) -> None:
        self._process = psutil.Process(pid)
        self.port = port

    def rss_mb(self) -> int:
        """Return its resident memory."""
        return int(self._process.memory_info().rss) >> 20

    def connections(self) -> int:
        """Return how many connections it holds."""
        return sum(
            each.status == "ESTABLISHED" and each.laddr.port == self.port for each in self._process.net_connections()
        )

    async def connect(self, address: str) -> Pair:
        """Connect from *address*."""
        return await asyncio.wait_for(
            asyncio.open_connection("127.0.0.1", self.port, local_addr=(address, 0)), PATIENCE_S
        )

    async def answers(self, address: str) -> bool:
        """Return whether one request from *address* is answered."""
        try:
            reader, writer = await self.connect(address)
            writer.write(HELLO)
            said = await asyncio.wait_for(reader.readline(), PATIENCE_S)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return b" 200 " in said


@contextmanager
def served(files: int) -> Iterator[Server]:
    """Serve under production limits, with at most *files* open files."""
    with tempfile.TemporaryDirectory() as home:
        ready = Path(home) / "ready"
        options = ["--insecure", "--port", "0", "--home", home, "--ready-file", str(ready), "--durability", "none"]
        command = [sys.executable, "-P", "-m", "scripts.cli", "serve", *options]
        process = subprocess.Popen(
            ["/bin/sh", "-c", 'ulimit -n "$0" && exec "$@"', str(files), *command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while not ready.exists() or not ready.read_text():
                assert process.poll() is None, "the server did not start"
                time.sleep(0.05)
            yield Server(process.pid, int(ready.read_text().rpartition(":")[2]))
        finally:
            process.terminate()
            process.wait()


async def endless_headers(server: Server) -> tuple[int, int]:
    """Send endless headers on 6 connections of which each may be cut off; return memory before and at its highest."""
    before = highest = server.rss_mb()

    async def pour(start: bytes, more: bytes) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            _, writer = await server.connect(STRANGER)
            writer.write(start)
            for _ in range(FLOOD_MB * (1 << 20) // 6 // len(more)):
                writer.write(more)
                await asyncio.wait_for(writer.drain(), PATIENCE_S)

    begun = HELLO[:-2]
    many = b"".join(b"X-%d: y\r\n" % n for n in range(20_000))
    value = b"x" * STREAM_BYTES
    starts = [(begun + b"X: ", value), (begun, many), (b"GET /", value), (begun, value), (value, value), (begun, many)]
    pouring = asyncio.gather(*(pour(*each) for each in starts))
    while not pouring.done():
        highest = max(highest, server.rss_mb())
        await asyncio.sleep(0.05)
    return before, max(highest, server.rss_mb())


async def held_connections(server: Server) -> tuple[int, int]:
    """Begin a second request on many connections and stop; return how many there were, and are after the deadline."""
    pairs = []
    for number in range(HELD):
        with contextlib.suppress(OSError, TimeoutError):
            reader, writer = await server.connect(f"127.0.0.{2 + number % 8}")
            writer.write(HELLO)
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
            writer.write(HALF)
            pairs.append(writer)
    for writer in pairs[::2]:
        writer.write(b"x")
    started, left = time.monotonic(), 0
    before = server.connections()
    while (passed := time.monotonic() - started) < WAIT_S:
        for number, writer in enumerate(pairs):
            if not writer.is_closing() and number % 10 == int(passed) % 10:
                writer.write(b"x")  # a trickle
        await asyncio.sleep(0.5)
        left = server.connections()
    for writer in pairs:
        writer.close()
    return before, left


async def crowd(server: Server) -> int:
    """Connect a crowd from one address at once, then let each send its request; return how many are answered."""
    pairs = await asyncio.gather(*(server.connect(HONEST) for _ in range(CROWD)))
    for _, writer in pairs:
        writer.write(HELLO)

    async def answered(pair: Pair) -> bool:
        with contextlib.suppress(OSError):
            return b" 200 " in await asyncio.wait_for(pair[0].readline(), PATIENCE_S)
        return False

    admitted = sum(await asyncio.gather(*map(answered, pairs)))
    for _, writer in pairs:
        writer.close()
    return admitted


async def few_files(server: Server) -> tuple[int, int]:
    """Hold as many connections as the server lets a stranger, and return how many of 20 honest requests it answers."""
    held = []
    for number in range(2 * FILES):
        with contextlib.suppress(OSError, TimeoutError):
            _, writer = await server.connect(f"127.0.0.{2 + number % 8}")
            writer.write(HALF)
            held.append(writer)
    answered = 0
    for _ in range(20):
        answered += await server.answers(HONEST)
        await asyncio.sleep(0.1)
    connections = server.connections()
    for writer in held:
        writer.close()
    return connections, answered


async def measure(say: Console) -> int:
    """Measure, print a table, and return the exit code."""
    table = Table("a stranger", "figure", "as it should be")
    good = []

    def row(name: str, figure: str, *, well: bool) -> None:
        good.append(well)
        table.add_row(name, figure, "yes" if well else "NO")

    with served(resource.getrlimit(resource.RLIMIT_NOFILE)[1]) as server:
        before, highest = await endless_headers(server)
        row(f"{FLOOD_MB} MB of headers", f"RSS {before} -> {highest} MB", well=highest - before <= FLAT_MB)
        began, left = await held_connections(server)
        row(f"{HELD} requests begun", f"{began} connections, {left} after {WAIT_S} s", well=left == 0)
        admitted = await crowd(server)
        row(f"a crowd of {CROWD} at once", f"{admitted} answered", well=admitted == CROWD)
    with served(FILES) as server:
        held, answered = await few_files(server)
        row(f"ulimit -n {FILES}", f"{held} connections, {answered} of 20 honest requests answered", well=answered == 20)
    say.print(table)
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(measure(console(None))))
