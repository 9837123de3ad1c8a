"""Lists the built-in allocators as a table or as JSON."""

from dataclasses import asdict

from rich.table import Table

from loadtest.verdict.weigh import Exit
from scripts.output import console, write_json
from server.store.allocators.registry import BUILT_IN, AllocatorEntry

YOUR_OWN = "Your own: redrain storm --allocator package.module:Class (complete example in docs/allocators.md)."


def run_allocators(json: str | None) -> int:
    """Show the allocators and return the exit code; *json* is a file for the list, or - for standard output."""
    say = console(json)
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("allocator", "correct", "capabilities", ""):
        table.add_column(column, overflow="fold")
    for entry in BUILT_IN.values():
        shown = entry.capabilities.text().replace(",", ", ") or "none"
        table.add_row(entry.name, "[green]yes[/]" if entry.correct else "[red]no[/]", shown, entry.summary)
    say.print(table)
    say.print(YOUR_OWN, soft_wrap=True)
    write_json(json, [_listed(entry) for entry in BUILT_IN.values()])
    return Exit.PASS


def _listed(entry: AllocatorEntry) -> dict[str, object]:
    return {
        "name": entry.name,
        "summary": entry.summary,
        "correct_by_construction": entry.correct,
        "for_lab": entry.for_lab,
        "capabilities": asdict(entry.capabilities),
    }
