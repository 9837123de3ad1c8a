"""Judges a recorded run again, draws its counterexamples, and exports its history for other checkers."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from loadtest.record.declared import declarations_from
from loadtest.record.one_timeline import widened
from loadtest.record.operations import HistoryFormat, operations_of, written
from loadtest.record.run_folder import RunFolder
from loadtest.record.shape import BadRecord
from loadtest.report.spacetime import Scene, drawn, page_of, scenes_of
from loadtest.report.spacetime.terminal import WIDTH
from loadtest.run.judge_run import judge_run
from loadtest.verdict.threshold_grammar import parse_line
from loadtest.verdict.weigh import Exit
from scripts.commands.compare import write_page
from scripts.commands.storm import carry_out_step, conclude, strangers_folder
from scripts.commands.storm_options import wrong_threshold
from scripts.output import console, failed


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """The options of ``redrain audit``; "-" as a file is standard output."""

    run: Path
    threshold: Sequence[str] | None = None
    explain: bool = False
    html: str | None = None
    history: str | None = None
    history_format: HistoryFormat | None = None
    json: str | None = None

    def wrong(self) -> str:
        """Return why the options cannot be used, or ""."""
        if self.history_format is not None and self.history is None:
            return "--history-format needs --history: the file to write, or - for stdout"
        if (self.json, self.html, self.history).count("-") > 1:
            return "only one of --json, --html and --history can be -"
        return wrong_threshold(self.threshold) or ""


def run_audit(options: AuditOptions) -> int:
    """Judge a recorded run again, offline, show the verdict and what else was asked for, and return the exit code."""
    if wrong := options.wrong():
        return failed(wrong, Exit.USAGE)
    folder = RunFolder(options.run)
    say = console("-" if "-" in (options.json, options.html, options.history) else None)
    try:
        with strangers_folder(options.run):
            result = judge_run(folder, [parse_line(each) for each in options.threshold or ()])
            code = conclude(folder, result, say, options.json)
            _more(folder, result, say, options)
    except BadRecord as error:
        return failed(error, Exit.ENVIRONMENT)
    return code


def _more(folder: RunFolder, result: dict[str, Any], say: Console, options: AuditOptions) -> None:
    """Draw and export what was asked for; a full disk is said, and changes nothing of the verdict."""
    steps: list[Callable[[], object]] = []
    if options.explain or options.html is not None:
        steps.append(lambda: _explain(folder, result, say, options.html))
    if (where := options.history) is not None:
        steps.append(lambda: _export(folder, where, options.history_format or HistoryFormat.JEPSEN, say))
    for step in steps:
        carry_out_step(step, folder, result)


def _explain(folder: RunFolder, result: dict[str, Any], say: Console, html: str | None) -> None:
    """Draw the counterexample of each violated invariant in the terminal, and on a page where that was asked for."""
    scenes = _scenes(folder, result)
    if not scenes:
        say.print("[dim]explain[/]  no invariant is violated: there is nothing to draw")
    for scene in scenes:
        say.print()
        for line in drawn(scene, min(WIDTH, say.width)):
            say.print(line, soft_wrap=True)
    if html is not None:
        write_page(say, html, page_of(scenes, folder.path.resolve().name))


def _scenes(folder: RunFolder, result: dict[str, Any]) -> list[Scene]:
    facts, violations = folder.facts(), result["violations"]
    if not violations:
        return []
    history = widened(folder.read_history(foreign=facts.foreign))
    books = None if facts.foreign else folder.read_books()
    return scenes_of(violations, history, books, declarations_from(facts.declared))


def _export(folder: RunFolder, where: str, notation: HistoryFormat, say: Console) -> None:
    history = widened(folder.read_history(foreign=folder.facts().foreign))
    lines = written(operations_of(history), notation)
    if where == "-":
        sys.stdout.buffer.writelines(lines)
        sys.stdout.flush()
        return
    with Path(where).open("wb") as file:
        file.writelines(lines)
    say.print(f"[dim]history[/]  {where}", soft_wrap=True)
