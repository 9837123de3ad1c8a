"""Runs an audience against a server, and directs the programme there unless it is ``--directed``."""

import shlex
import signal
import tempfile
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import requests
from rich.console import Console

from loadtest.engines.child_process import ProcessFailed
from loadtest.engines.crowd import Crowd
from loadtest.engines.engine_process import CrowdOrder
from loadtest.engines.progress import Progress, ProgressFiles
from loadtest.record.run_folder import RunFacts, RunFolder
from loadtest.run.audience_record import call_off, facts_of_audience, keep_ours
from loadtest.run.books_reader import BooksReader
from loadtest.run.director import Director
from loadtest.run.live_view import LiveView, progress_line
from loadtest.run.performance import perform
from loadtest.run.provision import Provisioned, provision
from loadtest.scenarios.crowd_scenario import BadScenario, scenario_text
from loadtest.scenarios.scenario import Scenario, load_scenario
from loadtest.targets.access import Access
from loadtest.targets.port import BadTarget
from loadtest.targets.reach import check_reach, server_url
from loadtest.targets.requester import Requester, SetUpFailed
from loadtest.verdict.weigh import Exit
from scripts.output import console, failed, fresh_folder, told_of, write_json
from server.signals import on_signals

LOOK_EVERY_S = 0.1
LINGER_S = 1.0  # after the programme: the last facts are still being delivered


@dataclass(frozen=True, slots=True)
class Visit:
    """The options of a swarm on its own. Without a ``history`` nothing is recorded."""

    target: str
    scenario: str
    viewers: int | None = None
    seed: int | None = None
    history: Path | None = None
    processes: int | None = None
    directed: bool = False
    json: str | None = None
    token: str = field(default="", repr=False)
    ca_file: str | None = None
    allow_remote: bool = False
    max_rate: float | None = None

    @property
    def host(self) -> str:
        """Return the base URL for HTTP. Raises BadTarget."""
        return server_url(self.target, self.ca_file)

    @property
    def access(self) -> Access:
        """Return the way into the server."""
        return Access(self.token, self.ca_file)

    @property
    def command(self) -> str:
        """Return the command that repeats the run."""
        words = ["redrain", "swarm", "--target", self.target, "--scenario", self.scenario]
        given = {"viewers": self.viewers, "seed": self.seed, "processes": self.processes, "ca-file": self.ca_file}
        words += [word for name, value in given.items() if value is not None for word in (f"--{name}", str(value))]
        words += ["--directed"] * self.directed
        if self.allow_remote:
            words += ["--allow-remote", "--max-rate", f"{self.max_rate:g}"]
        return shlex.join(words)

    def wrong(self) -> str:
        """Return what is wrong with the options, or ""."""
        if self.processes is not None and self.processes < 1:
            return "processes: must be at least 1"
        if self.history is not None and self.history.exists() and any(self.history.iterdir()):
            return f"history: {self.history} is not empty; give an empty or new folder"
        return ""


def run_swarm(visit: Visit) -> int:
    """Run the audience until the programme is over or a signal comes, and return the exit code."""
    wrong = visit.wrong()
    if wrong:
        return failed(wrong, Exit.USAGE)
    say = console(visit.json)
    try:
        scenario = load_scenario(visit.scenario).before(viewers=visit.viewers, seed=visit.seed)
        check_reach([visit.host], allow_remote=visit.allow_remote, max_rate=visit.max_rate)
        provisioned = provision(
            scenario, engine="swarm", processes=visit.processes, target=visit.host, max_rate=visit.max_rate
        )
        with ExitStack() as stack:
            folder = visit.history or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="redrain-swarm-")))
            stack.enter_context(fresh_folder(folder, RunFolder(folder).scenario))
            told_to_end = threading.Event()
            stack.enter_context(on_signals(told_to_end.set, signal.SIGINT, signal.SIGTERM))
            view = stack.enter_context(LiveView(say, f"swarm {scenario.name}").shown())
            over = _attend(visit, provisioned, folder, view, told_to_end)
            progress = ProgressFiles(folder).look()
    except (BadScenario, BadTarget) as error:
        return failed(error, Exit.USAGE)
    except ProcessFailed as error:
        return failed(told_of(error, visit.history), error.exit_code)
    except (SetUpFailed, requests.RequestException) as error:
        return failed(f"{visit.target}: {error}", Exit.ENVIRONMENT)
    if not progress.came:
        why = next(iter(progress.failures), "nobody was welcomed before the end")
        return failed(f"{visit.target}: none of {progress.viewers:,} viewers got in: {why}", Exit.ENVIRONMENT)
    _tell(progress, visit.json, say)
    endless = visit.directed or scenario.loop_ms is not None
    return int(Exit.PASS if over or endless else Exit.INTERRUPTED)


def _attend(
    visit: Visit, provisioned: Provisioned[Scenario], folder: Path, view: LiveView, told_to_end: threading.Event
) -> bool:
    """Run the audience and, unless it is directed, the programme; return whether the programme was completed."""
    scenario, host = provisioned.scenario, visit.host
    for note in provisioned.notes:
        view.phase(note)
    viewers = scenario.audience.viewers
    director = None if visit.directed else Director(host, scenario, viewers, lambda _: None, access=visit.access)
    Requester(host, visit.access).check_server()
    if director is not None:
        view.phase("opening the rooms")
        director.set_up()
    audience = scenario.audience
    order = CrowdOrder(
        host=host,
        scenario=visit.scenario,
        viewers=viewers,
        seats=provisioned.seats,
        arrivals_per_second=audience.arrivals_per_second,
        arrivals=audience.arrivals,
        seed=scenario.seed,
        reaction_median_ms=audience.reaction_median_ms,
        access=visit.access,
        max_rate=visit.max_rate,
    )
    keep = visit.history is not None
    facts = _facts(visit, provisioned, folder) if keep else None
    crowd = Crowd("swarm", folder, order, processes=provisioned.processes, view=view, history=keep)
    try:
        crowd.connect(told_to_end.is_set)
        over = _stay(director, crowd, view, told_to_end)
    finally:
        view.phase("disconnecting the audience")
        status = crowd.leave()
    if facts is not None and (heard := ProgressFiles(folder).look()).came:
        facts.audience_status = status
        view.phase("exporting the books")
        if director is None:
            facts.packet_ids = sorted({fact.packet for fact in heard.facts})
        else:
            call_off(director, view.phase, over=over)
        directors = [] if director is None else [director]
        keep_ours(RunFolder(folder), facts, directors, BooksReader(host, visit.access))
    return over


def _facts(visit: Visit, provisioned: Provisioned[Scenario], folder: Path) -> RunFacts:
    """Keep the scenario as it is run, and return the facts of the run."""
    RunFolder(folder).scenario.write_text(scenario_text(visit.scenario), "utf-8")
    facts = facts_of_audience(
        provisioned.scenario,
        engine="swarm",
        viewers=provisioned.scenario.audience.viewers,
        seats=provisioned.seats,
        repeat_command=visit.command,
        processes=provisioned.processes,
        notes=provisioned.notes,
        token=bool(visit.token),
    )
    facts.alone = not visit.directed
    return facts


def _stay(director: Director | None, crowd: Crowd, view: LiveView, told_to_end: threading.Event) -> bool:
    """Wait until the programme is over, or a signal comes; return whether the programme was completed."""
    if director is None:
        view.phase("watching; Ctrl-C stops it")
        while not told_to_end.wait(LOOK_EVERY_S):
            crowd.show()
        return False
    view.phase("the curtain rises: the programme is on")

    def look() -> None:
        last = director.happenings[-1] if director.happenings else None
        crowd.show(f"{last.packet_name}: {last.outcome}" if last else "", director.packets)

    return perform([("director", director.perform)], look, told_to_end.is_set, linger_s=LINGER_S)


def _tell(progress: Progress, json: str | None, say: Console) -> None:
    say.print(f"{progress_line(progress)}, {progress.failed:,} failures", soft_wrap=True)
    names = ("seats", "viewers", "came", "offered", "answered", "lost", "granted", "failed", "p99_ms", "max_ms")
    write_json(json, {name: getattr(progress, name) for name in names})
