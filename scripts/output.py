"""Writes for a person, and as JSON where ``--json`` says."""

import io
import sys
from pathlib import Path

import orjson
from rich.console import Console
from rich.markup import escape

from loadtest.verdict.weigh import Exit

PLAIN_WIDTH = 120  # of a log, where no terminal says how wide it is


def write_any_text() -> None:
    """Let output that the terminal's encoding lacks become question marks, rather than end a run."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def write_json(where: str | None, value: object) -> None:
    """Write *value* to a file, or to standard output if *where* is ``-``; None writes nothing."""
    if where is None:
        return
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    if where == "-":
        sys.stdout.buffer.write(text)
        sys.stdout.flush()
    else:
        Path(where).write_bytes(text)


def console(json: str | None, plain_width: int = PLAIN_WIDTH) -> Console:
    """Return where a person reads; standard output belongs to the JSON if that was asked for."""
    say = Console(stderr=json == "-", highlight=False)
    if not say.is_terminal:
        say.width = plain_width
    return say


def failed(error: Exception | str, code: Exit) -> int:
    """Say on standard error why a command ends, and return its exit code."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"[red]redrain:[/] {escape(str(error))}")
    return int(code)
