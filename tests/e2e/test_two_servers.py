"""Two servers on one store, and two workers of one server: every viewer sees the same room, whoever dies."""

import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from loadtest.record.history import FactRecord, History
from loadtest.record.run_folder import RunFolder
from tests.conftest import free_port
from tests.e2e.storming import storm
from tests.waiting import until

TIMEOUT_S = 60.0

SCENARIO = """
name = "two-servers"
sometimes = ["sold_out_seen", "voided", "resumed"]

[audience]
viewers = 60
arrivals_per_second = 200

[audience.mix]
eager = 0.4
flaky = 0.1
two_devices = 0.1
commenter = 0.4

[[creators]]
creator_id = "anna"
recharge_fen = 100_000

[[rooms]]
room_id = "first"
creator_id = "anna"

[[rooms]]
room_id = "second"
creator_id = "anna"

[[packets]]
name = "falls"
room_id = "first"
share_count = 10
mean_share_fen = 100
launch_at_ms = 0
delay_ms = 6_000
claim_window_ms = 3_000

[[packets]]
name = "is voided meanwhile"
room_id = "first"
share_count = 10
mean_share_fen = 100
launch_at_ms = 500
delay_ms = 7_000
claim_window_ms = 3_000
void_at_ms = 3_000

[[packets]]
name = "falls next door"
room_id = "second"
share_count = 10
mean_share_fen = 100
launch_at_ms = 0
delay_ms = 5_000
claim_window_ms = 3_000
"""

SERVER = "from scripts.cli import main; main()"

NUMBERS_BY_ITSELF = (
    """
import time
from dataclasses import replace
from server.core.rooms.feed import FeedEntry
from server.store.feed import READ_COUNT_MAX, Announced, Feed, AnnounceOutcome

told, untold, read_feed = {}, [], Feed.read

async def announce(self, room, cue):
    own = told.setdefault(room.room_id, {})
    cue_id = f"{cue.kind}:{cue.packet_id}"
    if cue_id in own:
        return Announced(AnnounceOutcome.ALREADY, own[cue_id])
    own[cue_id] = seq = len(own) + 1
    at_ms = time.time_ns() // 1_000_000
    untold.append(FeedEntry(room.room_id, "", cue.kind, cue.packet_id, seq, at_ms, cue.body))
    return Announced(AnnounceOutcome.ANNOUNCED, seq)

async def read(self, room, after, count=READ_COUNT_MAX):
    launched = await read_feed(self, room, after, count)
    last = launched[-1].entry_id if launched else after
    own = [entry for entry in untold if entry.room_id == room.room_id]
    untold[:] = [entry for entry in untold if entry.room_id != room.room_id]
    return launched + [replace(entry, entry_id=last) for entry in own]

Feed.announce, Feed.read = announce, read
"""
    + SERVER
)
"""A server that tells its facts without the store: in the order and with the numbers that it thinks of itself."""


@contextmanager
def running(*command: str) -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen([sys.executable, "-P", *command], start_new_session=True) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(TIMEOUT_S)


def listens(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def a_store(folder: Path) -> Iterator[str]:
    """Run the bundled store alone, as ``redrain store`` does; give its URL."""
    port = free_port()
    options = ["--port", str(port), "--durability", "relaxed", "--home", str(folder)]
    with running("-c", SERVER, "store", *options) as process:
        until(lambda: listens(port) or process.poll() is not None)
        assert process.poll() is None
        yield f"redis://127.0.0.1:{port}"


@contextmanager
def two_servers(code: str, folder: Path, store_url: str) -> Iterator[list[str]]:
    """Run two servers on one store; give their URLs."""
    with ExitStack() as stack:
        files = [folder / "one.url", folder / "two.url"]
        for file in files:
            options = ["--insecure", "--port", "0", "--limits", "load", "--durability", "relaxed"]
            options += ["--ready-file", str(file), "--home", str(file.with_suffix(""))]
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("REDRAIN_STORE_URL", store_url)
                process = stack.enter_context(running("-c", code, "serve", *options))
            until(lambda: process.poll() is not None or (file.exists() and file.read_text("utf-8")))  # noqa: B023 - at once
            assert process.poll() is None
        yield [file.read_text("utf-8") for file in files]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Run two servers as they are, for all that look at them."""
    folder = tmp_path_factory.mktemp("two")
    with a_store(folder / "store") as store_url, two_servers(SERVER, folder, store_url) as urls:
        yield urls


def two_targets(folder: Path, urls: list[str]) -> list[str]:
    (folder / "two-servers.toml").write_text(SCENARIO, "utf-8")
    return [str(folder / "two-servers.toml"), *(word for url in urls for word in ("--target", url))]


def counted(url: str, name: str) -> float:
    answer = requests.get(f"{url}/metrics", timeout=TIMEOUT_S)
    families = text_string_to_metric_families(answer.text)
    return next(each.value for family in families for each in family.samples if each.name == name)


def only_said(history: History, room: str) -> dict[int, FactRecord]:
    """Return a room's facts by number; all processes of the audience and all connections agree on each."""
    said: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
    for fact in history.facts:
        said[fact.room, fact.seq].add(fact.hash)
    assert all(len(hashes) == 1 for hashes in said.values())
    assert history.differs == []
    return {fact.seq: fact for fact in history.facts if fact.room == room}


@pytest.mark.parametrize("engine", ["locust", "swarm"])
def test_both_servers_show_the_same_rooms(engine: str, served: list[str], tmp_path: Path) -> None:
    """Viewers of each room are at both; a void and comments fall into a countdown; every number means one fact."""
    names = ["redrain_comments_received_total", "redrain_frames_received_total"]
    before = [counted(url, name) for url in served for name in names]
    options = ["--engine", engine, *(["--processes", "2"] if engine == "swarm" else [])]
    code, result = storm(tmp_path / "run", *two_targets(tmp_path, served), *options)
    after = [counted(url, name) for url in served for name in names]
    assert (code, result["verdict"], result["violations"]) == (0, "pass", [])
    assert all(now > then for now, then in zip(after, before, strict=True))

    history = RunFolder(tmp_path / "run").read_history()
    facts = only_said(history, "first")
    opened = next(seq for seq, fact in facts.items() if fact.type == "open")
    warmed = next(seq for seq, fact in facts.items() if fact.type == "warmup" and fact.packet == facts[opened].packet)
    voided = next(seq for seq, fact in facts.items() if fact.type == "voided")
    assert warmed < voided < opened
    assert any(conn.resumed_from and conn.resync is False for conn in history.conns)


def test_servers_that_number_by_themselves_are_caught(tmp_path: Path) -> None:
    """Without the one order that the store gives, the audit finds that viewers did not see the same room."""
    with a_store(tmp_path / "store") as store_url, two_servers(NUMBERS_BY_ITSELF, tmp_path, store_url) as urls:
        code, result = storm(tmp_path / "run", *two_targets(tmp_path, urls))
    assert (code, result["verdict"]) == (10, "fail")
    assert "A9" in {violation["invariant"] for violation in result["violations"]}


def test_viewers_of_a_worker_that_dies_go_on_with_the_other(tmp_path: Path) -> None:
    """They hear what they missed meanwhile, no more and no less, and nothing that was acknowledged is lost."""
    code, result = storm(tmp_path / "run", "worker-dies", "--viewers", "200")
    assert (code, result["verdict"], result["violations"], result["lost_acks"]) == (0, "pass", [], 0)
    assert [fault["outcome"] for fault in result["faults"]] == ["struck"]
    history = RunFolder(tmp_path / "run").read_history()
    came_back = [conn for conn in history.conns if conn.resumed_from is not None]
    assert len(came_back) > 20
    assert all(conn.resync is False for conn in came_back)
