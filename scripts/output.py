"""Writes for a person, and as JSON where ``--json`` says."""

import errno
import io
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path

import orjson
from rich.console import Console
from rich.markup import escape

from loadtest.run.plain_console import PlainConsole
from loadtest.verdict.weigh import Exit

PLAIN_WIDTH = 120  # of a log, where no terminal says how wide it is
FREE_BYTES_MIN = 32 * 2**20  # what a run takes, with some to spare
_FULL_BYTES = 2**20  # a disk with less than this is full to whoever writes a history
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def flushed() -> bool:
    """Write out standard output, or give up on it if nobody takes it; return whether it is written."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True


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
        sys.stdout.buffer.write(_OBEYED.sub(_as_json, text.decode()).encode())
        sys.stdout.flush()
    else:
        Path(where).write_bytes(text)


_OBEYED = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")  # JSON has escaped the others


def _as_json(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def console(json: str | None, plain_width: int = PLAIN_WIDTH) -> Console:
    """Return where a person reads; standard output belongs to the JSON if that was asked for."""
    say = PlainConsole(stderr=json == "-", highlight=False, emoji=False)
    if not say.is_terminal:
        say.width = plain_width
    return say


def errors() -> Console:
    """Return where a person reads what went wrong."""
    return PlainConsole(stderr=True, highlight=False, emoji=False, soft_wrap=True)


def no_file(path: Path) -> str:
    """Return why *path* cannot be written as a file, or ""."""
    folder = path.parent
    if not folder.is_dir():
        return f"{folder} is not a folder"
    if path.is_dir():
        return f"{path} is a folder"
    return "" if os.access(path if path.exists() else folder, os.W_OK) else f"{path} may not be written"


def no_folder(path: Path) -> str:
    """Return why *path* cannot be a folder to write into, or ""."""
    nearest = next(each for each in (path, *path.absolute().parents) if os.path.lexists(each))
    if not nearest.is_dir():
        return f"{nearest} is not a folder"
    return "" if os.access(nearest, os.W_OK) else f"{nearest} may not be written"


@contextmanager
def fresh_folder(path: Path, *ours: Path) -> Iterator[None]:
    """Make a folder for the block; if that fails and has left nothing but *ours*, the folders made are removed."""
    made = list(takewhile(lambda each: not each.exists(), (path, *path.parents)))
    path.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        if set(path.iterdir()) <= set(ours):  # else there are logs to read
            for each in ours:
                each.unlink(missing_ok=True)
            with suppress(OSError):  # others' files
                for each in made:
                    each.rmdir()
        raise


def too_full(path: Path) -> str:
    """Return that the disk of *path*, which need not exist yet, is too full for a run, or ""."""
    free = _free_bytes(path)
    if free >= FREE_BYTES_MIN:
        return ""
    return f"the disk is full: {path} has {free / 2**20:.1f} MiB left, and a run takes {FREE_BYTES_MIN // 2**20} MiB"


def told_of(error: Exception, folder: Path | None = None) -> str:
    """Return what to tell of an *error*: a full disk by its name, also if it is that of *folder* which made it fail."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return f"the disk is full: {error.filename or folder or 'what was to be written'} could not be written"
    if folder is not None and _free_bytes(folder) < _FULL_BYTES:
        return f"the disk is full: nothing more could be written into {folder}"
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error) or type(error).__name__


def _free_bytes(path: Path) -> int:
    nearest = next(each for each in (path, *path.absolute().parents) if each.exists())
    return shutil.disk_usage(nearest).free


def failed(error: Exception | str, code: Exit) -> int:
    """Say on standard error why a command ends, and return its exit code."""
    errors().print(f"[red]redrain:[/] {escape(str(error))}")
    return int(code)
