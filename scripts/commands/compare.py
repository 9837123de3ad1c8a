"""Shows two single runs side by side, in the terminal and as a page."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from loadtest.record.shape import BadRecord
from loadtest.report.compared import COLUMNS, cells, compared_sheet, difference_text, told_of
from loadtest.report.sheet import render_sheet
from loadtest.run.finished_run import latencies_at, summary_at
from loadtest.run.plain_console import plain
from loadtest.verdict.side_by_side import CAVEAT, incomparable, rows_of, surroundings
from loadtest.verdict.weigh import Exit
from scripts.commands.storm import strangers_folder
from scripts.output import console, failed, write_json
from server.core.text import visible


def run_compare(a: Path, b: Path, html: str | None, json: str | None, *, anyway: bool) -> int:
    """Show the runs *a* and *b*, folders or result files, and return the exit code: 64 if they are not comparable."""
    try:
        with strangers_folder(a):
            one, of_one = summary_at(a), latencies_at(a)
        with strangers_folder(b):
            other, of_other = summary_at(b), latencies_at(b)
        latencies = {f"A: {one.run}": of_one, f"B: {other.run}": of_other}
    except BadRecord as error:
        return failed(error, Exit.ENVIRONMENT)
    obstacles, others = incomparable(one, other), surroundings(one, other)
    if obstacles and not anyway:
        told = ", ".join(map(difference_text, obstacles))
        return failed(f"the runs differ in {told}: their figures say nothing; --anyway shows them", Exit.USAGE)
    say = console("-" if html == "-" else json)
    for name, run in (("A", one), ("B", other)):
        say.print(f"[dim]{name}[/]  {plain(told_of(run))}", soft_wrap=True)
    for word, differences in (("[red]not comparable[/]", obstacles), ("[dim]differs[/]", others)):
        for each in differences:
            say.print(f"{word}  {plain(each.name)}: {plain(each.a)} | {plain(each.b)}", soft_wrap=True)
    rows = rows_of(one, other)
    show_table(say, COLUMNS, [cells(row) for row in rows], words=2)
    say.print(f"[dim]{CAVEAT}[/]", soft_wrap=True)
    if html is not None:
        drawn = {name: each for name, each in latencies.items() if each is not None}
        write_page(say, html, render_sheet(compared_sheet(one, other, drawn)))
    answer = {
        "a": one.model_dump(),
        "b": other.model_dump(),
        "incomparable": list(map(asdict, obstacles)),
        "surroundings": list(map(asdict, others)),
        "figures": list(map(asdict, rows)),
        "caveat": CAVEAT,
    }
    write_json(json, answer)
    return Exit.PASS


def show_table(say: Console, columns: Sequence[str], rows: Sequence[Sequence[str]], words: int) -> None:
    """Show a table; the columns after the first *words* hold numbers and are set to the right."""
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for at, column in enumerate(columns):
        table.add_column(column, justify="left" if at < words else "right", no_wrap=at == 0)
    for row in rows:
        table.add_row(*map(plain, row))
    say.print(table)


def write_page(say: Console, html: str, page: str) -> None:
    """Write a page and say where; "-" is standard output."""
    if html == "-":
        print(visible(page))
        return
    Path(html).write_text(page, "utf-8")
    say.print(f"[dim]page[/]  {html}", soft_wrap=True)
