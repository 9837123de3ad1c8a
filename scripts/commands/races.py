"""Races a creator against a stampede, by kind and seed, each race on its own server, and shows the outcomes."""

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from rich.markup import escape
from rich.table import Table

from loadtest.engines.child_process import ProcessFailed
from loadtest.engines.crowd import SilentView
from loadtest.record.run_folder import RunFolder
from loadtest.record.shape import BadRecord
from loadtest.run.judge_run import judge_run
from loadtest.run.provision import provision
from loadtest.run.storm import StormPlan, carry_out, facts_of
from loadtest.scenarios.crowd_scenario import VIEWERS_MAX
from loadtest.scenarios.race import SEEDS, VIEWERS, RaceKind, acts_at_ms, race_text
from loadtest.scenarios.scenario import load_scenario
from loadtest.targets.requester import SetUpFailed
from loadtest.verdict.interventions import Intervention, interventions
from loadtest.verdict.weigh import Exit
from scripts.checked import CheckedParser
from scripts.commands.storm import interruptible
from scripts.output import console, write_any_text, write_json

RACES = Path(".redrain/races")
_WORST_FIRST = (Exit.INVARIANT, Exit.ENVIRONMENT, Exit.UNKNOWN)


@dataclass(frozen=True, slots=True)
class RaceOutcome:
    """
    One race and its outcome.

    ``violated`` are the invariants that do not hold; ``problem`` is the first violation, or why it could not be run.
    """

    kind: RaceKind
    seed: int
    verdict: str
    reasons: list[str]
    exit_code: int
    problem: str
    steps: list[Intervention]
    repeat_command: str
    violated: frozenset[str] = frozenset()


def run_race(kind: RaceKind, seed: int, folder: RunFolder, *, viewers: int = VIEWERS) -> RaceOutcome:
    """
    Run one race in an empty *folder*, with its own server and store, and judge it.

    Raises ProcessFailed, SetUpFailed or BadRecord if it cannot be run.
    """
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.scenario.write_text(race_text(kind, seed, viewers), "utf-8")
    name = str(folder.scenario)
    provisioned = provision(load_scenario(name), engine="swarm", processes=1, target=None)
    plan = StormPlan(provisioned.scenario, folder, engine="swarm", processes=provisioned.processes)
    facts = facts_of(plan, datetime.now(UTC), name=name, provisioned=provisioned)
    facts.repeat_command = _repeat_command(kind, seed, viewers)
    carry_out(plan, facts, SilentView())
    result = judge_run(folder)
    facts = folder.facts()
    violations = result["violations"]
    return RaceOutcome(
        kind,
        seed,
        result["verdict"],
        [str(reason) for reason in result["reasons"]],
        result["exit_code"],
        f"{violations[0]['invariant']}: {violations[0]['detail']}" if violations else "",
        interventions(folder.read_books(), folder.read_history(), facts.happenings),
        facts.repeat_command,
        frozenset(violation["invariant"] for violation in violations),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the requested races, print the table, and return the exit code: 0 if each is a pass."""
    write_any_text()
    options = _options(arguments)
    say = console(options.json)
    home = RACES / datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")[:-3]
    raced: list[RaceOutcome] = []
    try:
        with interruptible():
            for race in _races(options, home):
                raced.append(race)
                say.print(_line(race, len(raced), options), soft_wrap=True)
    except KeyboardInterrupt:
        say.print(_table(raced))
        say.print("[red]races:[/] interrupted: all started processes are stopped")
        return Exit.INTERRUPTED
    say.print(_table(raced))
    for race in raced:
        if race.verdict != "pass":
            say.print(
                f"[red]{race.kind} {race.seed}[/]: {escape(race.problem or ', '.join(race.reasons))}", soft_wrap=True
            )
            say.print(f"    kept in {home / f'{race.kind}-{race.seed}'}   again: {race.repeat_command}", soft_wrap=True)
    if options.json is not None:
        _write(options.json, raced)
    codes = {race.exit_code for race in raced} - {Exit.PASS}
    return int(next((code for code in _WORST_FIRST if code in codes), max(codes, default=Exit.PASS)))


def _races(options: argparse.Namespace, home: Path) -> Iterator[RaceOutcome]:
    for kind in options.kind or list(RaceKind):
        for seed in [options.seed] if options.seed is not None else range(1, options.seeds + 1):
            folder = RunFolder(home / f"{kind}-{seed}")
            try:
                race = run_race(kind, seed, folder, viewers=options.viewers)
            except (ProcessFailed, SetUpFailed, BadRecord) as error:
                code = error.exit_code if isinstance(error, ProcessFailed) else Exit.ENVIRONMENT
                again = _repeat_command(kind, seed, options.viewers)
                race = RaceOutcome(kind, seed, "unknown", [], int(code), str(error), [], again)
            if race.verdict == "pass":
                shutil.rmtree(folder.path)
            yield race


def _repeat_command(kind: RaceKind, seed: int, viewers: int) -> str:
    return f"scripts/races --kind {kind} --seed {seed}{f' --viewers {viewers}' if viewers != VIEWERS else ''}"


def _line(race: RaceOutcome, number: int, options: argparse.Namespace) -> str:
    whole = len(options.kind or list(RaceKind)) * (1 if options.seed is not None else options.seeds)
    colour = "green" if race.verdict == "pass" else "red"
    steps = "; ".join(f"{step.step} after {step.before:,}, before {step.after:,} shares" for step in race.steps)
    return (
        f"[dim]{number:>3} of {whole}[/]  {race.kind:<5} {race.seed:>3}  [{colour}]{race.verdict}[/]  "
        f"at {acts_at_ms(race.kind, race.seed):,} ms: {escape(steps or race.problem)}"
    )


def _table(raced: Sequence[RaceOutcome]) -> Table:
    """Return the table of outcomes: for each step the shares claimed before and after, least, median and most."""
    table = Table("kind", "seeds", "passed", "step", "done", "before", "after", "turned away", "refused")
    table.caption = "shares claimed before and after the step, and taps refused because of it: least / median / most"
    for kind in dict.fromkeys(race.kind for race in raced):
        of_kind = [race for race in raced if race.kind is kind]
        passed = sum(race.verdict == "pass" for race in of_kind)
        steps = [step for race in of_kind for step in race.steps]
        refused = [step for step in steps if step.step.startswith("refused")]
        names = list(dict.fromkeys(step.step for step in steps if step not in refused))
        for row, name in enumerate(names or ["-"]):
            same = [step for step in steps if step.step == name]
            head = (kind, str(len(of_kind)), str(passed)) if row == 0 else ("", "", "")
            spans = (_span([getattr(step, part) for step in same]) for part in ("before", "after", "turned_away"))
            table.add_row(*head, name, str(len(same)), *spans, str(len(refused)) if row == 0 else "")
    return table


def _span(numbers: Sequence[int]) -> str:
    if not numbers:
        return "-"
    return f"{min(numbers):,} / {median(numbers):,.0f} / {max(numbers):,}"


def _write(path: str, raced: Sequence[RaceOutcome]) -> None:
    lines = []
    for race in raced:
        steps = [{**asdict(step), "raced": step.raced} for step in race.steps]
        lines.append({**asdict(race), "steps": steps, "violated": sorted(race.violated)})
    whole = {"verdict": "pass" if all(race.verdict == "pass" for race in raced) else "fail", "races": lines}
    write_json(path, whole)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = CheckedParser(prog="scripts/races", description="Creators against a stampede: every race judged.")
    kinds = ", ".join(RaceKind)
    parser.add_argument("--kind", type=RaceKind, action="append", help=f"{kinds}; may be repeated (default: all)")
    parser.add_argument("--seeds", type=_positive, default=SEEDS, help=f"races of each kind (default {SEEDS})")
    parser.add_argument("--seed", type=_positive, default=None, help="only this one")
    parser.add_argument("--viewers", type=_positive, default=VIEWERS, help=f"in each race (default {VIEWERS})")
    parser.add_argument("--json", default=None, help="write what came of each as JSON to a file, or - for stdout")
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    number = int(text)
    if not 0 < number <= VIEWERS_MAX:
        raise ValueError(text)
    return number


if __name__ == "__main__":
    sys.exit(main())
