"""Writes results as JSON where ``--json`` says."""

import sys
from pathlib import Path

import orjson


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
