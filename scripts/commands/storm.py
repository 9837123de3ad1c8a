"""Runs a storm and judges it, and verifies packets, with output for the terminal."""

import shlex
import signal
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

from loadtest.engines.child_process import ProcessFailed
from loadtest.engines.crowd import View
from loadtest.record.archive import read_archive
from loadtest.record.given_file import replace_file
from loadtest.record.run_folder import RunFacts, RunFolder
from loadtest.record.shape import SHOWN_MAX, BadRecord
from loadtest.report import write_report
from loadtest.run.finished_run import remember
from loadtest.run.judge_run import judge_run
from loadtest.run.live_view import LiveView
from loadtest.run.plain_console import plain
from loadtest.run.provision import provision, wrong_engine
from loadtest.run.storm import StormPlan, carry_out, facts_of
from loadtest.run.target_storm import carry_out_on_target
from loadtest.run.terminal import show_result, show_verifications
from loadtest.scenarios.crowd_scenario import BadScenario, scenario_text
from loadtest.scenarios.scenario import Scenario
from loadtest.scenarios.stretched import duration_s, stretched
from loadtest.scenarios.target_scenario import TargetScenario, scenario_of
from loadtest.targets.access import NOBODY, Access
from loadtest.targets.port import BadTarget
from loadtest.targets.reach import check_reach, server_url
from loadtest.targets.requester import SetUpFailed
from loadtest.verdict.verify import verify_packet
from loadtest.verdict.weigh import Exit
from loadtest.watch.watched_run import WatchedRun, files_of_watching, watched
from scripts.commands.storm_options import StormOptions
from scripts.commands.target_storm import plan_target_storm
from scripts.output import console, failed, fresh_folder, told_of, too_full, write_json
from server.signals import on_signals
from server.store.allocators.loading import BadAllocator
from server.store.allocators.registry import DEFAULT, entry_of

Planned = tuple[RunFacts, Callable[[View], None]]
"""The facts of a run known before it begins, and the function that carries it out."""

RUNS = Path(".redrain/runs")
PACKETS_NAMED = 20
HISTORY = RUNS / "history.jsonl"


def run_storm(options: StormOptions) -> int:
    """Run a scenario, judge it, show the verdict and return the exit code."""
    started = datetime.now(UTC)
    folder = RunFolder(options.out or RUNS / started.strftime("%Y%m%d-%H%M%S-%f")[:-3])
    try:
        text = text_of(options)
        scenario = scenario_of(text, options.scenario).before(
            viewers=options.viewers, seed=options.seed, speed=options.speed
        )
        if wrong := options.wrong(scenario) or wrong_engine(options.engine, options.processes):
            return failed(wrong, Exit.USAGE)
        facts, perform = plan_storm(scenario, folder, options, started)
    except (BadScenario, BadTarget) as error:
        return failed(error, Exit.USAGE)
    except BadAllocator as error:
        return failed(f"allocator: {error}", Exit.USAGE)
    except ProcessFailed as error:
        return failed(error, error.exit_code)
    if folder.path.exists() and any(folder.path.iterdir()):
        return failed(f"out: {folder.path} is not empty; a run wants a folder of its own", Exit.USAGE)
    if full := too_full(folder.path):
        return failed(full, Exit.ENVIRONMENT)
    facts.allow_server_errors = options.allow_server_errors
    facts.thresholds = list(options.threshold or ())
    if options.duration is not None:
        facts.repeat_command += f" --duration {shlex.quote(options.duration)}"
    facts.repeat_command += "".join(f" --threshold {shlex.quote(each)}" for each in facts.thresholds)
    with ExitStack() as lasting:
        return _hold(scenario, folder, (facts, perform), options, lasting)


def text_of(options: StormOptions) -> str:
    """Return the TOML text of the scenario, as long as it is asked to last. Raises BadScenario."""
    text = scenario_text(options.scenario)
    return text if options.duration is None else stretched(text, options.scenario, duration_s(options.duration))


def plan_storm(
    scenario: Scenario | TargetScenario, folder: RunFolder, options: StormOptions, started: datetime
) -> Planned:
    """Plan a storm. Raises BadScenario, BadTarget, BadAllocator or ProcessFailed."""
    if isinstance(scenario, TargetScenario):
        return _plan_on_target(scenario, folder, options, started)
    return _plan_on_server(scenario, folder, options, started)


def _hold(
    scenario: Scenario | TargetScenario, folder: RunFolder, planned: Planned, options: StormOptions, lasting: ExitStack
) -> int:
    """Carry a planned storm out and judge it. A dashboard ends with *lasting*, after the report is written."""
    facts, perform = planned
    say, ours = console(options.json), (folder.scenario, *files_of_watching(folder))
    live = LiveView(say, f"storm {scenario.name}")
    try:
        with fresh_folder(folder.path, *ours), interruptible(), live.shown() as shown:
            watching = watched(folder, facts, scenario, shown, port=options.watch_port) if options.watch else None
            view = shown if watching is None else lasting.enter_context(watching)
            folder.scenario.write_text(text_of(options), "utf-8")
            for note in facts.notes:
                view.phase(note)
            perform(view)
            view.phase("judging")
            result = judge_run(folder)
    except (ProcessFailed, SetUpFailed, BadRecord, BadTarget, OSError) as error:
        code = error.exit_code if isinstance(error, ProcessFailed) else Exit.ENVIRONMENT
        _note_end(folder, told := told_of(error, folder.path))
        return failed(told, code)
    except KeyboardInterrupt:
        _note_end(folder, "interrupted")
        return failed("interrupted: what the storm had started is stopped, and nothing is judged", Exit.INTERRUPTED)
    exit_code = conclude(folder, result, say, options.json)
    if folder.path.parent == RUNS:
        carry_out_step(lambda: remember(HISTORY, folder.path, result), folder, result)
    if isinstance(view, WatchedRun):
        view.end(result["verdict"], result["reasons"], exit_code, report=folder.report.exists())
        view.stay(options.watch_stay)
    return exit_code


def _note_end(folder: RunFolder, why: str) -> None:
    """Leave word in the folder, if it still is that of a run, that the run goes on no more."""
    if folder.scenario.exists():
        with suppress(OSError):
            folder.ended.write_text(why, "utf-8", "replace")


def _plan_on_server(scenario: Scenario, folder: RunFolder, options: StormOptions, started: datetime) -> Planned:
    """Plan a storm on Redrain servers: its own, or those of --target."""
    targets = [server_url(target, options.ca_file) for target in options.target or ()]
    check_reach(targets, allow_remote=options.allow_remote, max_rate=options.max_rate)
    provisioned = provision(
        scenario, engine=options.engine, processes=options.processes, target=",".join(targets) or None,
        max_rate=options.max_rate,
    )  # fmt: skip
    allocator = entry_of(options.allocator or DEFAULT, Path.cwd())
    plan = StormPlan(
        provisioned.scenario, folder, allocator=allocator, durability=options.durability, targets=targets,
        workers=options.workers or scenario.workers, engine=options.engine, processes=provisioned.processes,
        access=Access(options.token, options.ca_file) if targets else NOBODY, max_rate=options.max_rate,
    )  # fmt: skip
    facts = facts_of(plan, started, name=options.scenario, provisioned=provisioned)
    return facts, partial(carry_out, plan, facts)


def _plan_on_target(scenario: TargetScenario, folder: RunFolder, options: StormOptions, started: datetime) -> Planned:
    """Plan a storm on another service."""
    plan, facts = plan_target_storm(scenario, folder, options, started)
    return facts, partial(carry_out_on_target, plan, facts)


def run_verify(packet_id: str | None, path: Path | None) -> int:
    """
    Verify one packet of a run, or all of them, and return the exit code: 10 if one is wrong, 20 if still sealed.

    *path* is a run's folder, or the file in which retention keeps what has left a creator's books.
    """
    folder = path or latest_run()
    if folder is None:
        return failed(f"run: there is none under {RUNS} yet; name one with --run", Exit.USAGE)
    try:
        with strangers_folder(folder):
            books = RunFolder(folder).read_books() if folder.is_dir() else read_archive(folder)
            wanted = [packet for packet in books.packets if packet_id in (None, packet)]
            verifications = {
                each: verify_packet(books.packets[each], books.claims.get(each, []), books.left.get(each))
                for each in wanted
            }
    except BadRecord as error:
        return failed(error, Exit.ENVIRONMENT)
    if not wanted:
        return failed(f"packet: {folder} has no packet {packet_id}; it has {named(books.packets)}", Exit.USAGE)
    show_verifications(console(None), verifications)
    if not all(verification.ok for verification in verifications.values()):
        return Exit.INVARIANT
    return Exit.PASS if all(each.shares is not None for each in verifications.values()) else Exit.UNKNOWN


@contextmanager
def strangers_folder(path: Path) -> Iterator[None]:
    """
    Judge a folder that anybody may have made: whatever its records contradict in us is a BadRecord, not a traceback.
    """
    try:
        yield
    except (BadRecord, OSError):
        raise
    except Exception as error:
        told = str(error)[:SHOWN_MAX] if str(error) else "no more is known"
        raise BadRecord(f"{path}: holds values that no run has ({type(error).__name__}: {told})") from error


def named(packets: Collection[str]) -> str:
    """Return the first of the packets' names."""
    first = ", ".join(list(packets)[:PACKETS_NAMED])
    return f"{first} and {len(packets) - PACKETS_NAMED} more" if len(packets) > PACKETS_NAMED else first


def latest_run() -> Path | None:
    """Return the newest finished run under the default folder, or None."""
    finished = sorted(RUNS.glob("*/books.jsonl"))
    return finished[-1].parent if finished else None


def interruptible() -> AbstractContextManager[None]:
    """Handle SIGTERM as Ctrl-C: the storm stops all processes it has started."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    return on_signals(interrupt, signal.SIGTERM)


def conclude(folder: RunFolder, result: dict[str, Any], say: Console, json: str | None) -> int:
    """Show and keep the result, and return its exit code, also if it cannot be kept."""
    text = orjson.dumps(result, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

    def report() -> None:
        say.print("[dim]storm[/]  writing the report")
        path = write_report(folder, result)
        say.print(
            f"[dim]report[/]  {plain(str(path))}   [dim]again[/]  {plain(result['repeat_command'])}", soft_wrap=True
        )

    steps: tuple[Callable[[], object], ...] = (
        lambda: show_result(say, result),
        lambda: replace_file(folder.result, text),
        report,
        lambda: write_json(json, result),
    )
    for step in steps:
        carry_out_step(step, folder, result)
    return int(result["exit_code"])


def carry_out_step(step: Callable[[], object], folder: RunFolder, result: dict[str, Any]) -> None:
    """Carry out one step of keeping a result; a full disk is said, and changes nothing of the verdict."""
    try:
        step()
    except OSError as error:
        failed(f"{told_of(error, folder.path)}; the verdict is {result['verdict']}", Exit.ENVIRONMENT)
