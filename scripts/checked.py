"""Checks of values from the command line, each of which refuses what no command can use."""

import argparse
from pathlib import Path
from typing import NoReturn

import typer

from loadtest.verdict.weigh import Exit
from scripts.output import no_file, no_folder


def checked_file(value: str | None) -> str | None:
    """Return the path of a file to write, or "-"; refuse what cannot be written."""
    if value not in (None, "-") and (wrong := no_file(Path(value))):
        raise typer.BadParameter(wrong)
    return value


def checked_path(value: Path | None) -> Path | None:
    """Return the path of a file to write; refuse what cannot be written."""
    if value is not None and (wrong := no_file(value)):
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


class CheckedParser(argparse.ArgumentParser):
    """A parser of a script's options that exits with our usage code."""

    def error(self, message: str) -> NoReturn:
        """Print the error and exit."""
        self.exit(Exit.USAGE, f"{self.prog.rpartition('/')[2]}: {message} (see --help)\n")
