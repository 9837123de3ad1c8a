"""Lists the kinds of targets as a table or as JSON."""

from rich.table import Table

from loadtest.targets.registry import SENTENCES
from loadtest.verdict.weigh import Exit
from scripts.output import console, write_json

HOW = "A scenario chooses one by [target] kind = ... (examples in docs/targets.md); --target URL gives its address."


def run_targets(json: str | None) -> int:
    """Show the kinds of targets and return the exit code; *json* is a file for the list, or - for standard output."""
    say = console(json)
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("target", ""):
        table.add_column(column, overflow="fold")
    for kind, sentence in SENTENCES.items():
        table.add_row(kind, sentence)
    say.print(table)
    say.print(HOW, soft_wrap=True, markup=False)
    write_json(json, [{"kind": kind, "summary": sentence} for kind, sentence in SENTENCES.items()])
    return Exit.PASS
