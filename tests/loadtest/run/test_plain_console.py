"""Texts of others reach a terminal as they stand, in every way that they are printed."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from loadtest.run.plain_console import PlainConsole, plain

NASTY = "a\x1b]8;;http://evil\x1b\\b\x1b[2J\x9b31m\u202e[link=http://evil]c[/link] [bold]d"
OURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")  # colours and the cursor, as rich itself writes them


def _table(text: str) -> Table:
    table = Table(title=plain(text))
    table.add_row(plain(text), Text(text))
    return table


@pytest.mark.parametrize(
    "shown",
    [
        Text(NASTY),
        plain(NASTY),
        f"[bold]{plain(NASTY)}[/]",
        Panel(Text(NASTY), title=plain(NASTY)),
        Group(_table(NASTY), Text(NASTY)),
    ],
    ids=["text", "plain", "styled", "panel", "table"],
)
@pytest.mark.parametrize("live", [False, True])
def test_no_control_character_passes_and_markup_is_shown(shown: RenderableType, live: bool) -> None:
    """Whatever it is printed in; colours, boxes and redrawing stay."""
    out = io.StringIO()
    console = PlainConsole(file=out, force_terminal=True, width=400, highlight=False, emoji=False, color_system="256")
    if live:
        with Live(shown, console=console):
            pass
    else:
        console.print(shown)
    written = OURS.sub("", out.getvalue()).replace("\r", "" if live else "\r").replace("\n", "")
    assert written.isprintable()
    assert r"a\x1b]8;;http://evil\x1b\b\x1b[2J\x9b31m\u202e[link=http://evil]c[/link] [bold]d" in written


def test_a_text_of_others_is_one_line() -> None:
    """Nobody's name looks like a line of ours."""
    assert plain("x\nPASS\t[y]") == r"x\x0aPASS\x09\[y]"


def test_everything_is_printed_by_a_plain_console() -> None:
    """A console that lets control characters pass is nowhere made."""
    root = Path(__file__).parents[3]
    made = [
        path.relative_to(root).as_posix()
        for folder in ("scripts", "loadtest", "server", "client_sim")
        for path in (root / folder).rglob("*.py")
        if re.search(r"(?<!Plain)\bConsole\(", path.read_text("utf-8").replace("class PlainConsole(Console)", ""))
    ]
    assert made == []
