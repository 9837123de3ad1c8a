"""Lists, shows, opens and removes runs of the default folder, and shows a figure's trend over their history."""

import shutil
import webbrowser
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loadtest.record.run_folder import RunFolder
from loadtest.record.run_history import read
from loadtest.record.shape import BadRecord
from loadtest.report.compared import number, told_of
from loadtest.report.sheet import render_sheet
from loadtest.report.trend import COLUMNS, rows_of_stretches, sparkline, trend_sheet
from loadtest.run.finished_run import summary_at
from loadtest.run.plain_console import plain
from loadtest.verdict.change_points import stretches
from loadtest.verdict.run_summary import unit_of
from loadtest.verdict.weigh import Exit
from scripts.commands.compare import show_table, write_page
from scripts.commands.storm import HISTORY, RUNS
from scripts.output import console, failed, write_json

LISTED = {"p50 ms": "grab_latency_ms.p50", "p99 ms": "grab_latency_ms.p99", "grabs/s": "grabs_per_second"}
SPARKS_MAX = 80
GOING_ON_S = 600.0  # a run that wrote something so lately, and has no result yet, may still go on


def run_list(limit: int, json: str | None) -> int:
    """List the newest runs of the default folder, and return the exit code."""
    say = console(json)
    rows: list[tuple[str, ...]] = []
    told: list[dict[str, Any]] = []
    folders = _folders()
    for path in folders[:limit]:
        try:
            run = summary_at(path)
        except BadRecord as error:
            rows.append((path.name, "", "", "", "", _state(path), *("",) * len(LISTED)))
            told.append({"run": path.name, "problem": str(error)})
        else:
            figures = (number(run.figures.get(name)) for name in LISTED.values())
            rows.append((run.run, run.scenario, run.engine, f"{run.viewers:,}", str(run.seed), run.verdict, *figures))
            told.append(run.model_dump())
    show_table(say, ("run", "scenario", "engine", "viewers", "seed", "verdict", *LISTED), rows, words=3)
    if len(folders) > limit:
        say.print(f"[dim]and {len(folders) - limit:,} older ones[/]")
    write_json(json, {"runs": told, "left_off": max(0, len(folders) - limit)})
    return Exit.PASS


def run_show(name: str | None, json: str | None) -> int:
    """Show a run's figures and where its evidence lies, and return the exit code."""
    try:
        folder = _folder(name)
        run = summary_at(folder.path)
    except BadRecord as error:
        return failed(error, Exit.ENVIRONMENT)
    say = console(json)
    say.print(plain(told_of(run)), soft_wrap=True)
    rows = [(figure, unit_of(figure), number(value)) for figure, value in run.figures.items()]
    show_table(say, ("figure", "unit", "value"), rows, words=2)
    say.print(f"[dim]report[/]  {plain(str(folder.report))}", soft_wrap=True)
    write_json(json, run.model_dump())
    return Exit.PASS


def run_open(name: str | None, show: Callable[[str], bool] = webbrowser.open) -> int:
    """Open a run's report in a browser, print its path, and return the exit code."""
    try:
        folder = _folder(name)
    except BadRecord as error:
        return failed(error, Exit.ENVIRONMENT)
    if not folder.report.is_file():
        return failed(f"{folder.report}: is missing; `redrain audit {folder.path}` writes it", Exit.ENVIRONMENT)
    opened = show(folder.report.resolve().as_uri())
    console(None).print(f"{folder.report}{'' if opened else ': open it yourself, there is no browser'}", soft_wrap=True)
    return Exit.PASS


def run_trend(figure: str, scenario: str | None, html: str | None, json: str | None) -> int:
    """Show how a figure went over the runs of the newest run's kind, and where it changed; return the exit code."""
    history = [run for run in read(HISTORY) if scenario in (None, run.scenario)]
    if not history:
        return failed(f"there is no run{f' of {scenario}' if scenario else ''} in {HISTORY} yet", Exit.USAGE)
    if figure not in history[-1].figures:
        return failed(f"metric: there is no {figure!r}; there are {', '.join(history[-1].figures)}", Exit.USAGE)
    kind = history[-1].kind
    runs = [run for run in history if run.kind == kind and run.figures.get(figure) is not None]
    values = [run.figures[figure] or 0.0 for run in runs]
    if not values:
        return failed(f"metric: no run of this kind knows its {figure}", Exit.USAGE)
    shared = ", ".join(f"{name} {value}" for name, value in kind.items())
    found = stretches(values)
    say = console("-" if html == "-" else json)
    say.print(f"{figure} of {len(runs)} runs: {plain(shared)}", soft_wrap=True)
    say.print(sparkline(values[-SPARKS_MAX:]))
    show_table(say, COLUMNS, rows_of_stretches(runs, found), words=2)
    if html is not None:
        write_page(say, html, render_sheet(trend_sheet(runs, figure, shared)))
    points = [{"run": run.run, "value": value} for run, value in zip(runs, values, strict=True)]
    write_json(json, {"figure": figure, "kind": kind, "points": points, "stretches": [one._asdict() for one in found]})
    return Exit.PASS


def run_prune(keep: int, json: str | None) -> int:
    """Remove all but the newest *keep* runs of the default folder, say what that frees, and return the exit code."""
    runs = _folders()
    old = [path for path in runs[keep:] if not _goes_on(path)]
    freed = {path: _size(path) for path in old}
    for path in old:
        shutil.rmtree(path)
    left = [path for path in runs if path not in freed]
    left_bytes = sum(map(_size, left))
    console(json).print(
        f"removed {len(old)} runs of {RUNS}, {_megabytes(sum(freed.values()))}; "
        f"{len(left)} are left, {_megabytes(left_bytes)}"
    )
    removed = [{"run": str(path), "bytes": size} for path, size in freed.items()]
    write_json(json, {"removed": removed, "left": [str(path) for path in left], "left_bytes": left_bytes})
    return Exit.PASS


def _folders() -> list[Path]:
    """Return the folders of runs, the newest first."""
    runs = (path for path in RUNS.glob("*") if not path.is_symlink() and RunFolder(path).scenario.exists())
    return sorted(runs, reverse=True)


def _folder(name: str | None) -> RunFolder:
    """Return the folder of a run by its name or path; the newest without one. Raises BadRecord."""
    if name is not None:
        known = RUNS / name
        return RunFolder(known if name and known.is_dir() else Path(name))
    newest = next(iter(_folders()), None)
    if newest is None:
        raise BadRecord(f"{RUNS}: there is no run yet; name a folder")
    return RunFolder(newest)


def _state(path: Path) -> str:
    if RunFolder(path).ended.exists():
        return "ended"
    return "goes on" if _goes_on(path) else "no result"


def _goes_on(path: Path) -> bool:
    if RunFolder(path).ended.exists():
        return False
    newest = max((each.lstat().st_mtime for each in path.rglob("*")), default=0.0)
    return not RunFolder(path).result.exists() and datetime.now(UTC).timestamp() - newest < GOING_ON_S


def _size(path: Path) -> int:
    return sum(each.lstat().st_size for each in path.rglob("*") if each.is_file())


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
