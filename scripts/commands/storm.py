"""Runs a storm and judges it, judges a recorded run again, and verifies packets: all with words for a person."""

import shlex
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import orjson
from rich.console import Console
from rich.markup import escape

from loadtest.record.run_folder import RunFacts, RunFolder
from loadtest.record.shape import BadRecord
from loadtest.report import write_report
from loadtest.run.environment import environment
from loadtest.run.processes import ProcessFailed
from loadtest.run.provision import Provisioned, provision, wrong_engine
from loadtest.run.storm import StormPlan, perform
from loadtest.run.terminal import LiveView, show_result, show_verifications
from loadtest.scenarios.scenario import WORKERS_MAX, BadScenario, load_scenario, scenario_text
from loadtest.targets.requester import SetUpFailed
from loadtest.verdict.judge_run import judge_run
from loadtest.verdict.verify import verify_packet
from loadtest.verdict.weigh import Exit
from server.store.allocators.loading import BadAllocator
from server.store.allocators.registry import DEFAULT, entry_of

RUNS = Path(".redrain/runs")
PLAIN_WIDTH = 120  # of a log, where no terminal says how wide it is


def run_storm(
    name: str,
    *,
    viewers: int | None,
    allocator: str | None,
    seed: int | None,
    speed: int | None,
    durability: str,
    targets: Sequence[str],
    token: str,
    workers: int | None,
    engine: str,
    processes: int | None,
    out: Path | None,
    json: str | None,
) -> int:
    """Run a scenario, judge it, show the verdict and return the exit code."""
    say = _console(json)
    wrong = _wrong_usage(allocator, durability, targets, workers) or wrong_engine(engine, processes)
    if wrong:
        return _failed(wrong, Exit.USAGE)
    try:
        answering = entry_of(allocator or DEFAULT, Path.cwd())
    except BadAllocator as bad:
        return _failed(f"allocator: {bad}", Exit.USAGE)
    try:
        scenario = load_scenario(name).before(viewers=viewers, seed=seed, speed=speed)
        mustered = provision(scenario, engine=engine, processes=processes, target=",".join(targets) or None)
    except BadScenario as error:
        return _failed(error, Exit.USAGE)
    except ProcessFailed as error:
        return _failed(error, error.exit_code)
    if scenario.faults and targets:
        return _failed("faults: only a server of the storm's own is broken; leave --target out", Exit.USAGE)
    started = datetime.now(UTC)
    folder = RunFolder(out or RUNS / started.strftime("%Y%m%d-%H%M%S-%f")[:-3])
    if folder.path.exists() and any(folder.path.iterdir()):
        return _failed(f"out: {folder.path} is not empty; a run wants a folder of its own", Exit.USAGE)
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.scenario.write_text(scenario_text(name), "utf-8")
    plan = StormPlan(
        mustered.scenario, folder, allocator=answering, durability=durability, targets=targets,
        workers=workers or scenario.workers, engine=engine, processes=mustered.processes, token=token,
    )  # fmt: skip
    facts = facts_of(plan, started, name=name, mustered=mustered)
    try:
        with interruptible(), LiveView(say, f"storm {scenario.name}").shown() as view:
            for note in mustered.notes:
                view.phase(note)
            perform(plan, facts, view)
            view.phase("judging")
            result = judge_run(folder)
    except ProcessFailed as error:
        return _failed(error, error.exit_code)
    except (SetUpFailed, BadRecord) as error:
        return _failed(error, Exit.ENVIRONMENT)
    except KeyboardInterrupt:
        return _failed("interrupted: what the storm had started is stopped, and nothing is judged", Exit.INTERRUPTED)
    return _conclude(folder, result, say, json)


def run_audit(path: Path, *, json: str | None) -> int:
    """Judge a recorded run again, offline, show the verdict and return the exit code."""
    try:
        result = judge_run(RunFolder(path))
    except BadRecord as error:
        return _failed(error, Exit.ENVIRONMENT)
    return _conclude(RunFolder(path), result, _console(json), json)


def run_verify(packet_id: str | None, path: Path | None) -> int:
    """Verify one packet of a run, or all of them, and return the exit code: 10 if one is wrong, 20 if still sealed."""
    folder = path or latest_run()
    if folder is None:
        return _failed(f"run: there is none under {RUNS} yet; name one with --run", Exit.USAGE)
    try:
        books = RunFolder(folder).read_books()
    except BadRecord as error:
        return _failed(error, Exit.ENVIRONMENT)
    wanted = [packet for packet in books.packets if packet_id in (None, packet)]
    if not wanted:
        return _failed(f"packet: {folder} has no packet {packet_id}; it has {', '.join(books.packets)}", Exit.USAGE)
    verifications = {
        each: verify_packet(books.packets[each], books.claims.get(each, []), books.left.get(each)) for each in wanted
    }
    show_verifications(Console(highlight=False), verifications)
    if not all(verification.ok for verification in verifications.values()):
        return Exit.INVARIANT
    return Exit.PASS if all(each.shares is not None for each in verifications.values()) else Exit.UNKNOWN


def latest_run() -> Path | None:
    """Return the newest finished run under the default folder, or None."""
    finished = sorted(RUNS.glob("*/books.jsonl"))
    return finished[-1].parent if finished else None


@contextmanager
def interruptible() -> Iterator[None]:
    """Take SIGTERM as Ctrl-C: the storm stops what it has started."""

    def interrupt(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _wrong_usage(allocator: str | None, durability: str, targets: Sequence[str], workers: int | None) -> str:
    if durability not in ("none", "relaxed", "durable"):
        return "durability: must be none, relaxed or durable"
    if workers is not None and not 1 <= workers <= WORKERS_MAX:
        return f"workers: must be 1 to {WORKERS_MAX}"
    if targets and workers is not None:
        return "workers: only a server of the storm's own is told; leave --target out"
    if targets and allocator is not None:
        return "allocator: a server given by --target brings its own; leave --allocator out"
    return ""


def facts_of(plan: StormPlan, started: datetime, *, name: str, mustered: Provisioned) -> RunFacts:
    """Return what is known of a run before it begins; *name* is what its scenario was asked for by."""
    scenario = plan.scenario
    command = ["redrain", "storm", name, "--viewers", str(scenario.audience.viewers), "--seed", str(scenario.seed)]
    command += ["--speed", str(scenario.speed), "--allocator", plan.allocator.name, "--durability", plan.durability]
    command += ["--engine", plan.engine]
    if plan.engine == "swarm":
        command += ["--processes", str(plan.processes)]
    if plan.workers != scenario.workers:
        command += ["--workers", str(plan.workers)]
    for target in plan.targets:
        command += ["--target", target]
    return RunFacts(
        scenario=scenario.name,
        seed=scenario.seed,
        engine=plan.engine,
        durability="unknown" if plan.targets else plan.durability,  # what is aimed at was not set up by us
        speed=scenario.speed,
        limits="unknown" if plan.targets else "load",
        allocator=plan.allocator.name,
        viewers=scenario.audience.viewers,
        seats=mustered.seats,
        repeat_command=shlex.join(command),
        started_at=started.isoformat(timespec="seconds"),
        environment=environment(),
        processes=plan.processes,
        workers=plan.workers,
        reaction_median_ms=scenario.audience.reaction_median_ms,
        notes=mustered.notes,
    )


def _conclude(folder: RunFolder, result: dict[str, Any], say: Console, json: str | None) -> int:
    text = orjson.dumps(result, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    folder.result.write_bytes(text)
    show_result(say, result)
    say.print("[dim]storm[/]  writing the report")
    report = write_report(folder, result)
    say.print(f"[dim]report[/]  {report}   [dim]again[/]  {result['repeat_command']}", soft_wrap=True)
    if json == "-":
        sys.stdout.buffer.write(text)
        sys.stdout.flush()
    elif json is not None:
        Path(json).write_bytes(text)
    return int(result["exit_code"])


def _console(json: str | None) -> Console:
    """Return where a person reads; standard output belongs to the JSON if that was asked for."""
    console = Console(stderr=json == "-", highlight=False)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    return console


def _failed(error: Exception | str, code: Exit) -> int:
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"[red]redrain:[/] {escape(str(error))}")
    return int(code)
