"""One process's part of an audience: seats, progress, files."""

from pathlib import Path
from typing import Any

import orjson

from loadtest.engines.audience import Audience
from loadtest.record.history import read_history
from loadtest.scenarios.scenario import load_scenario
from loadtest.targets.registry import hosts_of
from tests.client_sim.room_talk import MS, TARGET, welcome

SCENARIO = load_scenario("evening")


class NoStats:
    """Stands where Locust's statistics would; nothing was counted in these tests, so nothing is asked of it."""


def audience(folder: Path | None, *, part: tuple[int, int] = (0, 1), nth: int = 0) -> Audience:
    return Audience(SCENARIO, target=TARGET, seed=1, folder=folder, part=part, seats=1, nth=nth)


def lines(folder: Path, name: str) -> list[dict[str, Any]]:
    (path,) = folder.glob(f"{name}-*.jsonl")
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def test_the_parts_of_an_audience_are_the_whole() -> None:
    """Workers share the seats: none is taken twice and none is left empty."""
    alone = audience(None)
    whole = [alone.take_seat().seat for _ in range(40)]
    workers = [audience(None, part=(index, 4)) for index in range(4)]
    shared = [worker.take_seat().seat for _ in range(10) for worker in workers]
    assert shared == whole
    assert {seat.room_id for seat in whole} == {room.room_id for room in SCENARIO.rooms}


def test_progress_says_how_far_everybody_is(tmp_path: Path) -> None:
    """It is connecting until every seat was welcomed, then watching, and leaving at the end."""
    brought = audience(tmp_path)
    viewer = brought.take_seat()
    brought.all_seated()
    brought.tick(NoStats())
    session = TARGET.session(viewer, TARGET.addresses[0])
    viewer.opened(session, 0)
    viewer.receive(session.message(welcome()), 1)
    brought.tick(NoStats())
    viewer.closed(5 * MS, 1000)
    brought.tick(NoStats())
    brought.finish(NoStats())
    told = lines(tmp_path, "progress")
    assert [line["phase"] for line in told] == ["connecting", "watching", "watching", "leaving"]
    assert [(line["seats"], line["connected"]) for line in told] == [(1, 0), (1, 1), (1, 0), (1, 0)]
    assert told[0].keys() == {
        "t_ns", "phase", "seats", "connected", "viewers", "present", "offered", "answered", "lost", "unread",
        "failed", "failures", "latencies", "max_ms", "shares", "rooms", "comments", "likes", "facts",
    }  # fmt: skip


def test_a_finished_history_has_its_end(tmp_path: Path) -> None:
    """The audit's reader takes it; finishing twice changes nothing."""
    brought = audience(tmp_path)
    viewer = brought.take_seat()
    session = TARGET.session(viewer, TARGET.addresses[0])
    viewer.opened(session, 0)
    viewer.receive(session.message(welcome()), 1)
    brought.finish(NoStats())
    brought.finish(NoStats())
    (path,) = tmp_path.glob("history-*.jsonl")
    assert len(read_history([path]).conns) == 1


def test_a_second_run_of_a_process_has_files_of_its_own(tmp_path: Path) -> None:
    """The web UI starts one run after the other; none overwrites the one before."""
    for nth in range(2):
        audience(tmp_path, nth=nth).finish(NoStats())
    assert len(list(tmp_path.glob("history-*.jsonl"))) == 2


def test_without_a_folder_nothing_is_written(tmp_path: Path) -> None:
    """A plain Locust run leaves no files."""
    audience(None).finish(NoStats())
    assert list(tmp_path.iterdir()) == []


def test_several_servers_are_named_with_commas() -> None:
    """One URL is one server; spaces and closing slashes make no difference."""
    assert hosts_of("http://127.0.0.1:1/") == ["http://127.0.0.1:1"]
    assert hosts_of("http://127.0.0.1:1, http://127.0.0.1:2/") == ["http://127.0.0.1:1", "http://127.0.0.1:2"]


def test_an_audience_is_not_complete_before_the_first_viewer_took_a_seat() -> None:
    """Locust reports its users as spawned before the first of them has run."""
    brought = audience(None)
    brought.all_seated()
    assert not brought.all_connected()
