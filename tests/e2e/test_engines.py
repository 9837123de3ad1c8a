"""One scenario, one seed, two engines: the same people do the same things, and both runs pass."""

import io
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import orjson
import pytest
from rich.console import Console
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from client_sim.behaviour import Behaviour
from loadtest.engines.engine_process import ENGINES
from loadtest.engines.progress import ProgressFiles
from loadtest.record.run_folder import RunFolder
from loadtest.run.live_view import LiveView
from loadtest.run.terminal import show_result
from loadtest.scenarios.crowd_scenario import scenario_text
from loadtest.verdict.measures import offered_and_lost
from loadtest.watch.watch_process import URL_FILE
from tests.e2e.storming import storm
from tests.waiting import until

PICTURES: list[dict[str, Any]] = []
EVERYBODY = Path(__file__).with_name("everybody.toml")
Runs = dict[str, tuple[Path, int, dict[str, Any]]]


AROUND = {Behaviour.EARLY_BIRD, Behaviour.EDGE_TAPPER}


def _taps(folder: Path) -> Counter[str]:
    """
    Count the taps per behaviour; one that was sent again with its request id is still one.

    Of those who tap around an edge the viewers count: what follows depends on the side of the edge that a tap meets.
    """
    grabs = RunFolder(folder).read_history().grabs
    taps = {(grab.viewer, "" if grab.behaviour in AROUND else grab.request_id): grab.behaviour for grab in grabs}
    return Counter(taps.values())


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """The same storm under each engine."""
    taken = {}
    for engine in ENGINES:
        folder = tmp_path_factory.mktemp(engine) / "run"
        more = ["--processes", "2", "--watch"] if engine == "swarm" else []
        with looking_at(folder) if engine == "swarm" else nullcontext(PICTURES):
            taken[engine] = (folder, *storm(folder, str(EVERYBODY), "--engine", engine, *more))
    return taken


@contextmanager
def looking_at(folder: Path) -> Iterator[None]:
    """Look at the dashboard of the run in a folder as a page does, until it ends."""

    def look() -> None:
        until((folder / URL_FILE).exists)
        url = (folder / URL_FILE).read_text("utf-8").replace("http", "ws").replace("dashboard", "watch")
        with connect(url) as line, suppress(ConnectionClosed):
            while True:
                PICTURES.append(orjson.loads(line.recv()))

    looker = threading.Thread(target=look)
    looker.start()
    yield
    looker.join(30)
    assert not looker.is_alive()


def test_a_watched_storm_is_seen_from_its_beginning_to_its_verdict(runs: Runs) -> None:
    """The dashboard had the figures of the audience, a badge by cuts and receipts, and at last those of the result."""
    _, _, result = runs["swarm"]
    phases = {picture["phase"] for picture in PICTURES}
    assert {"connecting 80 viewers", "the curtain rises: the programme is on"} <= phases
    assert {picture["badge"]["light"] for picture in PICTURES} <= {"amber", "green"}
    last = PICTURES[-1]
    assert (last["verdict"]["verdict"], last["verdict"]["exit_code"]) == ("pass", 0)
    assert (last["answered"], last["granted"]) == (result["grabs"], result["granted"])
    assert last["badge"] == {**last["badge"], "light": "green", "over": 0, "under": 0, "lost": 0}
    assert last["badge"]["receipts"] > last["granted"]
    assert (last["money"]["claimed_fen"], last["money"]["gap_fen"]) == (result["issued_fen"], 0)
    assert last["latency"]["skew_p99"] == pytest.approx(result["fanout_skew_ms"]["p99"], abs=0.1)
    assert last["generator"]["cpu"] > 0


@pytest.mark.parametrize("engine", ENGINES)
def test_every_behaviour_passes_under_both_engines(runs: Runs, engine: str) -> None:
    """Lines that drop, readers that stop and bots break nothing, and what had to happen sometimes did."""
    _, code, result = runs[engine]
    assert (code, result["verdict"], result["reasons"], result["violations"]) == (0, "pass", [], [])
    assert (result["engine"], f"--engine {engine}" in result["repeat_command"]) == (engine, True)
    assert all(result["sometimes"].values())
    assert [threshold["met"] for threshold in result["thresholds"]] == [True, True]
    assert result["validity"]["generator_cpu"] > 0


@pytest.mark.parametrize("engine", ENGINES)
def test_the_last_live_figures_are_those_of_the_verdict(runs: Runs, engine: str) -> None:
    """Slow readers, flaky viewers and two devices count live as they do in the result, in both processes of a swarm."""
    folder, _, result = runs[engine]
    live = ProgressFiles(folder).look()
    offered, lost = offered_and_lost(result["statuses"])
    assert (live.viewers, live.came, live.granted) == (result["viewers"], result["viewers"], result["granted"])
    assert (live.offered, live.answered, live.lost) == (offered, result["grabs"], lost)
    assert live.seats > live.viewers
    assert 0 < live.lost == live.offered - live.answered
    assert live.granted_of == {packet["packet_id"]: packet["granted"] for packet in result["packets"]}
    texts = {"live": io.StringIO(), "final": io.StringIO()}
    consoles = {name: Console(file=text, width=120, height=40, color_system=None) for name, text in texts.items()}
    view = LiveView(consoles["live"], "storm")
    view.progress(live, "")
    consoles["live"].print(view)
    show_result(consoles["final"], result)
    told = {name: _facts(text.getvalue()) for name, text in texts.items()}
    assert told["live"]["grabs"] == told["final"]["grabs"]
    assert told["live"]["granted"] == told["final"]["granted"]
    assert f"{told['live']['latency']} from the planned tap" == told["final"]["grab latency"]


def _facts(shown: str) -> dict[str, str]:
    """Return what a display says of each figure."""
    pairs = (line.strip("│ ").split("  ", 1) for line in shown.splitlines())
    return {pair[0]: pair[1].strip() for pair in pairs if len(pair) == 2}


def test_both_engines_make_the_same_grabs(runs: Runs) -> None:
    """The number of taps depends only on seed, seat and packet: it is the same for all engines."""
    counts = {engine: _taps(folder) for engine, (folder, _, _) in runs.items()}
    assert counts["locust"] == counts["swarm"]
    assert set(counts["swarm"]) == set(Behaviour) - {Behaviour.WATCHER}


def test_a_lost_receipt_is_asked_for_with_the_same_request_id(runs: Runs) -> None:
    """Every flaky viewer lost its first receipt, came back, resumed, and got an answer for the same tap."""
    for folder, _, result in runs.values():
        grabs = [grab for grab in RunFolder(folder).read_history().grabs if grab.behaviour == Behaviour.FLAKY]
        lost = {(grab.viewer, grab.request_id) for grab in grabs if grab.t_reply is None}
        answered = {(grab.viewer, grab.request_id) for grab in grabs if grab.t_reply is not None}
        assert {viewer for viewer, _ in lost} == {grab.viewer for grab in grabs}
        assert lost <= answered
        assert result["sometimes"]["resumed"] >= len(lost)


def test_a_swarm_of_two_processes_shares_the_seats(runs: Runs) -> None:
    """Each process has a history of its own, and the seats of its parity."""
    folder, _, result = runs["swarm"]
    assert result["processes"] == len(list(folder.glob("history-*.jsonl.gz"))) == 2
    history = RunFolder(folder).read_history()
    parities = {(conn.process, int(str(conn.conn).partition(".")[0], 16) % 2) for conn in history.conns}
    assert len(parities) == 2
    assert {health.process for health in history.healths} == {0, 1}


def test_a_stampede_that_cannot_sell_out_is_vacuous(tmp_path: Path) -> None:
    """More shares than viewers: correct, and yet nothing was proven, which is 20 and not green."""
    path = tmp_path / "plenty.toml"
    path.write_text(scenario_text("stampede").replace("shares_per_viewer = 0.1", "shares_per_viewer = 2"), "utf-8")
    code, result = storm(tmp_path / "run", str(path), "--engine", "swarm", "--viewers", "60")
    assert (code, result["verdict"], result["reasons"], result["violations"]) == (20, "unknown", ["vacuous"], [])
    assert result["sometimes"]["sold_out_seen"] == 0
    assert result["sometimes"]["tap_before_opening"] > 0
