"""The subjects of a benchmark: each a fresh server with open packets, and the processes whose CPU counts."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
from redis import Redis

from loadtest.engines.child_process import Build
from loadtest.run.nemesis import WorkersOfRun
from loadtest.run.server_process import ServerProcess
from loadtest.targets.access import http_session
from scripts.bench.process import bench_process
from server.store.allocators.registry import BUILT_IN, DEFAULT, AllocatorEntry
from server.store.embedded.process import EmbeddedStore
from server.store.fitness import Durability

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Subject:
    """A server under test: its URL, its open packets, its processes, and the URL of its store, if it has one."""

    url: str
    packet_ids: list[str]
    pids: list[int]
    store_url: str = ""


@contextmanager
def floor(packets: int, shares: int) -> Iterator[Subject]:
    """Run the floor."""
    del shares
    with bench_process("scripts.bench.floor") as process:
        yield Subject(f"ws://127.0.0.1:{process.line()}/", [f"anna.{n:010}" for n in range(packets)], [process.pid])


@contextmanager
def plain(packets: int, shares: int) -> Iterator[Subject]:
    """Run the plain peer on a store of its own."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="redrain-")))
        store = EmbeddedStore.start(folder, durability=Durability.RELAXED)
        stack.callback(store.stop)
        ids = [f"anna.{n:010}" for n in range(packets)]
        with Redis.from_url(store.url) as redis:
            for packet in ids:
                redis.hset(f"packet:{packet}", mapping={"opens": 0, "closes": 2**40})
                redis.rpush(f"shares:{packet}", *range(1, shares + 1))
        process = stack.enter_context(bench_process("scripts.bench.plain_peer", store.url))
        yield Subject(f"ws://127.0.0.1:{process.line()}/", ids, [process.pid, store.pid])


@contextmanager
def redrain(
    packets: int,
    shares: int,
    *,
    workers: int = 1,
    allocator: AllocatorEntry = BUILT_IN[DEFAULT],
    build: Build | None = None,
    witness: bool = True,
) -> Iterator[Subject]:
    """Run our server with sessions, limits and metrics on; the packets are in the viewers' room (AMB-46)."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="redrain-")))
        options = ["--limits", "load", "--durability", "relaxed", "--workers", str(workers)]
        options += ["--diagnostics"] * (allocator.for_lab or not witness) + ["--no-witness"] * (not witness)
        server = ServerProcess(folder, options, build=build)
        stack.callback(server.stop)
        url = server.wait_until_ready()
        _post(url, "/api/creators/anna/recharge", {"amount_fen": 10**12})
        _post(url, "/api/rooms", {"room_id": "crowd", "creator_id": "anna"})
        ids = [launched(url, shares, allocator.name) for _ in range(packets)]
        store = orjson.loads((folder / "home/store/store.lock").read_bytes())
        yield Subject(
            f"{url.replace('http', 'ws')}/ws/rooms/crowd",
            ids,
            [server.pid, *WorkersOfRun(folder / "home").pids(), store["pid"]],
            store["url"],
        )


def store_calls(url: str) -> dict[str, int]:
    """Return how often each command was called in the store at *url*, those of scripts included."""
    with Redis.from_url(url, decode_responses=True) as redis:
        told = redis.info("commandstats")
    assert isinstance(told, dict)
    return {name.removeprefix("cmdstat_"): int(stats["calls"]) for name, stats in told.items()}


def launched(url: str, shares: int, allocator: str = DEFAULT) -> str:
    """Launch a packet in the room of the volleys, open at once for a day, and return its id."""
    new: dict[str, object] = {"creator_id": "anna", "name": "volley", "share_count": shares, "total_fen": shares * 100}
    new["allocator"] = allocator
    packet_id = str(_post(url, "/api/packets", new)["packet_id"])
    launch = {"room_id": "crowd", "mode": "manual", "claim_window_ms": DAY_MS}
    _post(url, f"/api/packets/{packet_id}/launch", launch)
    return packet_id


def _post(url: str, path: str, body: dict[str, object]) -> dict[str, object]:
    response = http_session().post(url + path, json=body, timeout=30)
    response.raise_for_status()
    answer: dict[str, object] = response.json()
    return answer


SUBJECTS = {"floor": floor, "redrain": redrain, "websockets + redis-py": plain}
