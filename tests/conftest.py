"""Fixtures of several folders: a real store, in both of the ways it may be run."""

import contextlib
import gc
import importlib
import os
import socket
import subprocess
from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from pathlib import Path

import hypothesis
import pytest
import uvloop
from pytest_asyncio.plugin import LoopFactory
from redis import Redis

from server.store.clock import StoreClock
from server.store.connection import Durability, Store
from server.store.embedded.process import EmbeddedStore
from tests.waiting import until

pytest_plugins = ["tests.rules_run", "tests.schedule"]

# How long an example takes says how busy the machine is. A test may still set more of its own.
hypothesis.settings.register_profile("patient", hypothesis.settings.get_profile("default"), deadline=None)
hypothesis.settings.load_profile("patient")


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Collect without the garbage collector: what is imported stays, and examining it takes a third of the time."""
    gc.disable()
    try:
        import_in_turn(session.config)
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def import_in_turn(config: pytest.Config) -> None:
    """
    Import the tests of a whole run, each of its processes from another place on.

    pytest compiles each file anew for its assertions, once, and keeps the result. Processes that import the same files
    at the same time would each compile all of them.
    """
    shared = getattr(config, "workerinput", None)
    if shared is None or config.args != config.getini("testpaths"):
        return
    files = sorted(file for top in config.args for file in (config.rootpath / top).rglob("test_*.py"))
    first = len(files) * int(shared["workerid"].removeprefix("gw")) // shared["workercount"]
    for file in files[first:] + files[:first]:
        importlib.import_module(".".join(file.relative_to(config.rootpath).with_suffix("").parts))


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, LoopFactory]:
    """Run on what the product runs on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    """Run one real store for all tests; ``store`` empties it before each."""
    running = EmbeddedStore.start(tmp_path_factory.mktemp("store"), durability=Durability.RELAXED)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def embedded_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    """Run one node that has all slots of a cluster: it refuses whatever touches two of them."""
    more = {"cluster-enabled": "yes", "cluster-port": str(free_port())}
    directory: Path = tmp_path_factory.mktemp("cluster")
    running = EmbeddedStore.start(directory, durability=Durability.RELAXED, port=free_port(), more=more)
    with Redis.from_url(running.url) as node:
        node.execute_command("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
        until(lambda: b"cluster_state:ok" in node.execute_command("CLUSTER", "INFO"), "the cluster")
    yield running
    running.stop()


@pytest.fixture(params=["single", "cluster"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """Connect to an empty store: a test that takes this runs on a single node and on a node of a cluster."""
    running: EmbeddedStore = request.getfixturevalue("embedded" if request.param == "single" else "embedded_cluster")
    connected = await Store.connect(running.url, durability=Durability.RELAXED, cluster_node=True)
    await connected.redis.flushall()
    yield connected
    await connected.close()


@pytest.fixture
async def clock(store: Store) -> StoreClock:
    """Open a clock whose room time is real time."""
    return await StoreClock.open(store, speed=1, origin_ms=None)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a disk of its own of 24 MiB; skip the test where none can be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Fill a small disk to its last byte; return the file to remove."""
    filler = disk / "filler"
    file = os.open(filler, os.O_WRONLY | os.O_CREAT)
    with contextlib.suppress(OSError):
        while True:
            os.write(file, bytes(4_096))
    os.close(file)
    return filler


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
