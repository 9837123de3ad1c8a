"""Text that people write and others see: names, titles and comments."""

import re
from unicodedata import category

from server.core.refusal import NO_RULE, Refused, RuleId

_JOINERS = "\u200c\u200d"  # of scripts and emoji that need them; other characters without a shape are refused
_NO_SHAPE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})

_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
_OBEYED_IN_A_LINE = re.compile(f"[\t\n{_OBEYED.pattern[1:]}")


def is_readable(text: str) -> bool:
    """Return whether *text* has something to read, and nothing that controls how it or its surroundings are shown."""
    shown = [char for char in text if char not in _JOINERS]
    return any(not char.isspace() for char in shown) and not any(category(char) in _NO_SHAPE for char in shown)


def checked_text(field: str, text: str, *, length_max: int, rule: RuleId = NO_RULE) -> str:
    """Return *text* if it may be shown under *field*; raise Refused (``bad_field``) if not."""
    if not len(text) <= length_max or not is_readable(text):
        wanted = f"must be 1 to {length_max} characters, not only blanks, and no control characters"
        raise Refused("bad_field", wanted, field=field, rule=rule)
    return text


def visible(text: str, *, one_line: bool = False) -> str:
    """Return *text* with an escape such as ``\\x1b`` in place of each character that a terminal would obey."""
    return (_OBEYED_IN_A_LINE if one_line else _OBEYED).sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"


def masked(name: str) -> str:
    """Return a viewer's name as other viewers see it: the first and the last character, ``**`` for all between."""
    return "*" if len(name) < 2 else f"{name[0]}**{name[-1]}"
