"""The gate's part of the terminal's output: counters, the comparison and what was left out."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from loadtest.report.comparing import change_text, conclusion_word, leg_text
from loadtest.run.plain_console import plain

_COLOURS = {"pass": "green", "improvement": "green", "regression": "bold red", "inconclusive": "yellow"}


def show_gate(say: Console, gate: Mapping[str, Any]) -> None:
    """Show what was compared with what, and how it ended."""
    if gate["base"]:
        say.print(f"[dim]base[/]  {plain(gate['base'])}   [dim]head[/]  {plain(gate['head'])}", soft_wrap=True)
    if gate["counters"]:
        say.print(_counters(gate["counters"]))
    if gate["comparison"]:
        say.print(_comparison(gate["comparison"]))
        if gate["comparison"]["void"]:
            say.print(f"[yellow]the timing part is void[/]: {plain(gate['comparison']['void'])}", soft_wrap=True)
    if gate["alone"]:
        told = ", ".join(
            f"{name.replace('_', ' ')} {value:,.1f}" for name, value in gate["alone"].items() if value is not None
        )
        say.print(f"[dim]one leg, not compared[/]  {told}", soft_wrap=True)
    for note in gate["notes"]:
        say.print(f"[yellow]note[/]  {plain(note)}", soft_wrap=True)


def _counters(counters: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("work counters", "counter", "base", "head", "")
    for each in counters:
        word = {True: "[green]no more[/]", False: "[bold red]more[/]", None: "[dim]stated only[/]"}[each["met"]]
        base = "-" if each["base"] is None else f"{each['base']:.2f}"
        table.add_row(each["title"], base, f"{each['head']:.2f}", word)
    return table


def _comparison(compared: Mapping[str, Any]) -> Table:
    table = _table("paired comparison", "metric", "base", "head", "worse by", "allowed", "floor", "pairs", "")
    for each in compared["metrics"]:
        decides = each["metric"] in compared["decided_by"]
        word = conclusion_word(each["conclusion"])
        shown = f"[{_COLOURS[each['conclusion']]}]{word}[/]" if decides else f"[dim]{word}, stated only[/]"
        table.add_row(
            each["title"], leg_text(each, "base"), leg_text(each, "head"), change_text(each),
            f"{each['budget']:.0%}", f"{each['floor']:.1%}", str(each["pairs"]), shown,
        )  # fmt: skip
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None)
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number in (0, len(columns) - 1) else "right")
    return table
