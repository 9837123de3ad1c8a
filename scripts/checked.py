"""Checks of values from the command line, each of which refuses what no command can use."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.output import no_file, no_folder

NUMBER_MAX = 2**53 - 1  # what every reader of JSON understands


def checked_file(value: str | None) -> str | None:
    """Return the path of a file to write, or "-"; refuse what cannot be written."""
    if value not in (None, "-") and (wrong := no_file(Path(value))):
        raise typer.BadParameter(wrong)
    return value


def checked_credential(value: str) -> str:
    """Return a credential; refuse what no credential is."""
    if not value.isascii() or not value.isprintable():
        raise typer.BadParameter("a credential has letters, digits and punctuation only (redrain token)")
    return value


def checked_folder(value: Path | None) -> Path | None:
    """Return the path of a folder to write into; refuse what cannot be one."""
    if value is not None and (wrong := no_folder(value)):
        raise typer.BadParameter(wrong)
    return value


Json = Annotated[
    str | None, typer.Option(callback=checked_file, help="Write what it says as JSON to a file, or - for stdout.")
]
"""The option ``--json`` of every command that yields a result."""
