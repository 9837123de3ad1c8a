"""A storm as a whole, and what is left when it cannot go on: nothing that runs, and a reason."""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import requests

from loadtest.engines.child_process import ProcessFailed
from loadtest.engines.engine_process import ENGINES
from loadtest.engines.progress import Progress
from loadtest.record.run_folder import RunFolder
from loadtest.run import books_reader
from loadtest.run.judge_run import judge_run
from loadtest.run.server_process import ServerProcess
from loadtest.run.storm import StormPlan, carry_out
from loadtest.scenarios.crowd_scenario import scenario_text
from loadtest.scenarios.scenario import load_scenario
from loadtest.targets.requester import SetUpFailed
from loadtest.verdict.weigh import Exit
from tests.loadtest.record.test_run_folder import FACTS
from tests.waiting import until

VIEWERS = 8
SPEEDS = (600, 120, 30)  # what a busy machine was too slow for has proven nothing, and is done again with more time


class Watcher:
    """A view that remembers all it is shown, and may do something when a phase begins."""

    def __init__(self, at: str = "", act: Callable[[], None] = lambda: None) -> None:
        self.phases: list[str] = []
        self.last = Progress()
        self.happenings: list[str] = []
        self._at, self._act = at, act

    def phase(self, text: str) -> None:
        self.phases.append(text)
        if self._at and self._at in text:
            self._act()

    def progress(self, progress: Progress, happening: str) -> None:
        self.last = progress
        if happening and happening not in self.happenings:
            self.happenings.append(happening)


@pytest.fixture
def plan(tmp_path: Path) -> StormPlan:
    """Plan a smoke storm before a few viewers."""
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    folder.scenario.write_text(f"fact_late_ms = 10_000  # whatever else runs\n{scenario_text('smoke')}", "utf-8")
    return StormPlan(load_scenario(str(folder.scenario)).before(viewers=VIEWERS), folder, durability="relaxed")


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """Whatever a storm starts has ended when it is over, however it went."""
    before = set(_children())
    yield
    assert set(_children()) <= before


def _children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def _kill(part: str, plan: StormPlan) -> None:
    """Kill the storm's process that has *part* in its command."""
    (process,) = (
        each for each in _children() if part in each.cmdline() and str(plan.folder.path) in " ".join(each.cmdline())
    )
    os.kill(process.pid, signal.SIGKILL)


def test_a_storm_leaves_all_that_a_judge_needs(plan: StormPlan) -> None:
    """Books, snapshots, packed history and facts, of which the judgement is made."""
    facts, watcher = replace(FACTS, packet_ids=[], happenings=[], viewers=VIEWERS), Watcher()
    carry_out(plan, facts, watcher)

    assert facts.audience_status == 0
    assert len(facts.packet_ids) == 2
    assert [(each["packet_name"], each["outcome"]) for each in facts.happenings] == [
        ("sells out", "launched"),
        ("leaves escrow", "launched"),
    ]
    folder = plan.folder
    assert folder.facts() == facts
    assert folder.snapshots()
    assert not list(folder.path.glob("history-*.jsonl"))
    result = judge_run(folder)
    assert (result["verdict"], result["violations"]) == ("pass", [])
    assert watcher.last.connected >= VIEWERS
    assert watcher.last.granted == result["granted"]
    assert watcher.happenings[-1] == "leaves escrow: launched"
    assert [phase.split(" ")[0] for phase in watcher.phases] == [
        "starting", "opening", "connecting", "the", "disconnecting", "exporting", "stopping",
    ]  # fmt: skip


def test_a_missed_threshold_with_abort_ends_the_storm(plan: StormPlan) -> None:
    """The programme is called off, nothing is left on air, and the run is judged as ever."""
    facts = replace(FACTS, viewers=VIEWERS, packet_ids=[], happenings=[], notes=[])
    facts.thresholds = ["granted value < 0 abort"]
    carry_out(plan, facts, Watcher())
    assert list(facts.broken_off) == ["granted value < 0"]
    assert [note.partition(" after")[0] for note in facts.notes] == ["granted value < 0 broke the programme off"]
    result = judge_run(plan.folder)
    assert (result["exit_code"], result["reasons"], result["violations"]) == (12, ["threshold"], [])
    assert {packet["state"] for packet in result["packets"]} <= {"voided", "settled"}


SHOP = """
name = "sale"
speed = 600
sometimes = ["order_paid", "refunded_fully", "packet_expired", "withdrawal_failed_twice"]

[rulebooks.acme]
base = "lab"
refund_horizon_ms = 1_200_000
reversal_delay_ms = 60_000

[audience]
viewers = 12

[[creators]]
creator_id = "anna"
recharge_fen = 100_000
platform = "acme"

[[rooms]]
room_id = "anna-live"
creator_id = "anna"

[[packets]]
name = "for buyers"
room_id = "anna-live"
platform = "acme"
share_count = 12
total_fen = 6_000
mode = "relative"
launch_at_ms = 0
delay_ms = 300_000
claim_window_ms = 900_000
use_for_ms = 1_800_000

[shop]
orders = 1.0
shipping_fen = 100
commission_rate = 1_000
mix = { pay = 1.0, pay_and_refund_fully = 4.0, expire = 1.0 }
products = [{ product_id = "tea", price_fen = [700, 900] }]

[[withdrawals]]
creator_id = "anna"
amount_fen = 700
at_ms = 60_000
ends_at_ms = 120_000
outcome = "failed"
reports = 2
"""


@pytest.mark.parametrize("engine", ENGINES)
def test_a_storm_with_a_shop_waits_until_all_is_final(tmp_path: Path, engine: str) -> None:
    """Whatever brings the audience: its winners buy, their orders are judged with the books, and nothing is open."""
    for speed in SPEEDS:
        folder = RunFolder(tmp_path / f"run-{speed}")
        folder.path.mkdir()
        folder.scenario.write_text(SHOP.replace("speed = 600", f"speed = {speed}"), "utf-8")
        watcher = Watcher()
        plan = StormPlan(load_scenario(str(folder.scenario)), folder, durability="relaxed", engine=engine)
        carry_out(plan, replace(FACTS, packet_ids=[]), watcher)
        result = judge_run(folder)
        if result["verdict"] != "unknown":
            break
    assert (result["verdict"], result["violations"]) == ("pass", [])
    assert all(result["sometimes"].values())
    sales, books = folder.read_sales(), folder.read_books()
    assert {sale.order_id for sale in sales.sales} == books.orders.keys()
    assert all(order.over for order in books.orders.values())
    assert any("shop: " in happening for happening in watcher.happenings)


def test_somebodys_server_is_left_running(plan: StormPlan, tmp_path: Path) -> None:
    """A target is used, not owned: it is neither started nor stopped, and its books are taken."""
    server = ServerProcess(tmp_path / "theirs", ["--speed", "10", "--durability", "relaxed", "--limits", "load"])
    try:
        url = server.wait_until_ready()
        watcher = Watcher()
        carry_out(replace(plan, targets=[url + "/"]), replace(FACTS), watcher)
        assert requests.get(f"{url}/readyz", timeout=30).ok
    finally:
        server.stop()
    assert not any("starting" in phase for phase in watcher.phases)
    assert judge_run(plan.folder)["verdict"] == "pass"


def test_a_target_that_does_not_answer_is_named(plan: StormPlan) -> None:
    """There is no server at the other end, and that is said in words."""
    with pytest.raises(SetUpFailed, match=r"the server at http://127\.0\.0\.1:1 does not answer"):
        carry_out(replace(plan, targets=["http://127.0.0.1:1"]), FACTS, Watcher())


def test_a_scenarios_limits_hold_on_its_own_server_and_must_on_a_target(plan: StormPlan, tmp_path: Path) -> None:
    """The storm's server gets them; somebody's server has its own, and is named if they are others."""
    tables = {"lab": {"claim_window_max_ms": 700_000, "overlap_max": "none"}}
    strict = replace(plan, scenario=plan.scenario.model_copy(update={"rulebooks": tables}))
    shown: list[object] = []

    def look() -> None:
        url = (strict.folder.path / "server.url").read_text("utf-8")
        limits = requests.get(f"{url}/api/rulebooks/lab", timeout=30).json()["limits"]
        shown.extend(limit["value"] for limit in limits if limit["field"] == "claim_window_max_ms")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carry_out(strict, FACTS, Watcher("opening the rooms", look))
    assert shown == [700_000]

    server = ServerProcess(tmp_path / "theirs", ["--durability", "none"])
    try:
        asked = replace(strict, targets=[server.wait_until_ready()])
        with pytest.raises(SetUpFailed, match=r"needs lab\.claim_window_max_ms = 700000, and .* has 604800000"):
            carry_out(asked, FACTS, Watcher())
        ours = plan.scenario.model_copy(update={"rulebooks": {"acme": {"base": "lab"}}})
        with pytest.raises(SetUpFailed, match=r"needs the platform acme, and .* has none; give it to that server with"):
            carry_out(replace(asked, scenario=ours), FACTS, Watcher())
    finally:
        server.stop()


@pytest.mark.parametrize("phase", ["opening the rooms", "the curtain rises", "disconnecting the audience"])
def test_a_server_that_dies_ends_the_storm(plan: StormPlan, phase: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever it dies, the reason is its end, not what somebody could not ask it any more."""
    monkeypatch.setattr(books_reader, "AWAY_MAX_S", 1.0)  # for so long the books are asked for again
    with pytest.raises(ProcessFailed, match="the server ended with status -9") as failed:
        carry_out(plan, FACTS, Watcher(phase, lambda: _kill("serve", plan)))
    assert failed.value.exit_code is Exit.ENVIRONMENT


def test_an_audience_that_dies_ends_the_storm(plan: StormPlan) -> None:
    """Without viewers there is nothing to prove."""
    with pytest.raises(ProcessFailed, match=r"audience .* ended with status -9"):
        carry_out(plan, FACTS, Watcher("the curtain rises", lambda: _kill("loadtest.engines.locust_process", plan)))


@pytest.mark.parametrize("phase", ["opening the rooms", "connecting", "the curtain rises"])
def test_an_interrupt_stops_everything(plan: StormPlan, phase: str) -> None:
    """Ctrl-C at any time ends what was started, in order, and goes on to whoever called."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carry_out(plan, FACTS, Watcher(phase, interrupt))
    until(lambda: not (plan.folder.path / "home/store/store.sock").exists())
