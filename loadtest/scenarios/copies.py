"""Copies: a packet of a scenario that stands for several, each later than the one before."""

from typing import Any


def shifted(table: dict[str, Any], ms: int, *names: str) -> dict[str, Any]:
    """Return the times of a table under these names, so much later; those that it does not have stay away."""
    return {name: table[name] + ms for name in names if table[name] is not None}
