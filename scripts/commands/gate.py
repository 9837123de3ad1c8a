"""Runs a gate, shows and keeps what it found, and returns the exit code."""

from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson
from rich.console import Console

from loadtest.engines.child_process import ProcessFailed
from loadtest.engines.crowd import View
from loadtest.record.run_folder import RunFolder
from loadtest.record.shape import BadRecord
from loadtest.report import write_report
from loadtest.report.comparing import uncompared
from loadtest.report.junit import junit_of
from loadtest.report.summary import annotations_of, markdown_of
from loadtest.run.judge_run import judge_run
from loadtest.run.live_view import LiveView
from loadtest.run.terminal import show_result
from loadtest.scenarios.crowd_scenario import BadScenario, scenario_text
from loadtest.scenarios.scenario import Scenario
from loadtest.scenarios.target_scenario import TargetScenario, read_scenario
from loadtest.targets.port import BadTarget
from loadtest.verdict.weigh import Exit
from scripts.commands.storm import RUNS, interruptible, plan_storm
from scripts.commands.storm_options import StormOptions
from scripts.gate.gate import BROKEN, Gate, repeat_command, run_through
from scripts.gate.options import GateOptions
from scripts.gate.table import show_gate
from scripts.output import console, failed, fresh_folder, told_of, too_full, write_json
from server.settings import on_github, step_summary


def run_gate(options: GateOptions) -> int:
    """Run a gate and return its exit code."""
    folder = RunFolder(options.out or RUNS / datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")[:-3])
    try:
        scenario = read_scenario(options.scenario).before(viewers=options.viewers, seed=options.seed, speed=None)
        if wrong := options.wrong(scenario):
            return failed(wrong, Exit.USAGE)
    except (BadScenario, BadTarget) as error:
        return failed(error, Exit.USAGE)
    if folder.path.exists() and any(folder.path.iterdir()):
        return failed(f"out: {folder.path} is not empty; a gate wants a folder of its own", Exit.USAGE)
    if full := too_full(folder.path):
        return failed(full, Exit.ENVIRONMENT)
    say = console(options.json)
    try:
        with ExitStack() as stack:
            stack.enter_context(fresh_folder(folder.path, folder.scenario))
            stack.enter_context(interruptible())
            view = stack.enter_context(LiveView(say, f"gate {scenario.name}").shown())
            storm = partial(_storm, scenario, options, folder, view)
            result = run_through(Gate(scenario, options), storm, view.phase)
    except (BadScenario, BadTarget) as error:
        return failed(error, Exit.USAGE)
    except (BadRecord, *BROKEN) as error:
        code = error.exit_code if isinstance(error, ProcessFailed) else Exit.ENVIRONMENT
        return failed(told_of(error, folder.path), code)
    except KeyboardInterrupt:
        return failed("interrupted: what the gate had started is stopped, and nothing is judged", Exit.INTERRUPTED)
    return _conclude(folder, result, say, options)


def _storm(
    scenario: Scenario | TargetScenario, options: GateOptions, folder: RunFolder, view: View, url: str
) -> dict[str, Any]:
    """Storm the head, at its URL or with a server of the storm's own, and judge it."""
    storm = StormOptions(
        scenario=options.scenario, viewers=options.viewers, allocator=None, seed=options.seed, speed=None,
        durability="durable", target=[url] if url else None, workers=None, engine=options.engine, processes=None,
        out=folder.path, json=None, target_adapter=options.target_adapter,
    )  # fmt: skip
    facts, perform = plan_storm(scenario, folder, storm, datetime.now(UTC))
    facts.repeat_command = repeat_command(options)  # the storm's own would name a port that is gone
    facts.thresholds = list(options.threshold or ())
    facts.own_service = facts.own_service or bool(options.head_command)
    folder.scenario.write_text(scenario_text(options.scenario), "utf-8")
    perform(view)
    view.phase("judging")
    return judge_run(folder)


def _conclude(folder: RunFolder, result: dict[str, Any], say: Console, options: GateOptions) -> int:
    """Show and keep the result, and return its exit code, also if it cannot be kept."""
    show_result(say, result, left_out=uncompared(result))
    show_gate(say, result["gate"])
    try:
        folder.result.write_bytes(orjson.dumps(result, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        report = write_report(folder, result)
        say.print(f"[dim]report[/]  {report}   [dim]again[/]  {result['repeat_command']}", soft_wrap=True)
        if options.junit:
            options.junit.write_text(junit_of(result), "utf-8")
        if summary := options.summary or step_summary():
            with summary.open("a", encoding="utf-8") as file:
                file.write(markdown_of(result))
        if on_github():
            say.print(*annotations_of(result), sep="\n", soft_wrap=True, markup=False)
        write_json(options.json, result)
    except OSError as error:
        failed(f"{told_of(error, folder.path)}; the verdict is {result['verdict']}", Exit.ENVIRONMENT)
    return int(result["exit_code"])
