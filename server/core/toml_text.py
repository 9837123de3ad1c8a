"""TOML that strangers may have written: its size and depth are bounded."""

import re
import tomllib
from pathlib import Path
from typing import Any, Final

TOML_CHARACTERS_MAX: Final = 1 << 18
KEY_PARTS_MAX: Final = 100  # the parser takes the square of them in time
_BETWEEN_KEYS: Final = re.compile(r"[=,{}\[\]\n]")


class BadToml(ValueError):  # noqa: N818 - as the other bad texts are called
    """A text is not TOML, or larger or deeper than anybody writes it; says why."""


def read_toml(path: Path) -> str:
    """Return the text of a file, or one that is too long for ``toml_tables``. Raises OSError and UnicodeDecodeError."""
    with path.open(encoding="utf-8") as file:
        return file.read(TOML_CHARACTERS_MAX + 1)


def toml_tables(text: str) -> dict[str, Any]:
    """Return the tables of a TOML text. Raises BadToml."""
    if len(text) > TOML_CHARACTERS_MAX:
        raise BadToml(f"has more than {TOML_CHARACTERS_MAX:,} characters")
    if any(piece.count(".") > KEY_PARTS_MAX for piece in _BETWEEN_KEYS.split(text)):
        raise BadToml(f"has more than {KEY_PARTS_MAX} dots in a row; a key cannot have so many parts")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise BadToml("is nested too deeply") from None
    except ValueError as error:  # also a number with more digits than Python reads
        raise BadToml(str(error)) from None
