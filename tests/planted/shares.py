"""Shares that are not those committed to (A8)."""

from server.core.packets import split
from tests.planted.plant import Plant, of


def never_shuffle() -> None:
    """Give the shares in the order in which they were drawn."""
    split._shuffle = lambda shares, below: None


PLANTS = [
    Plant("shares are not shuffled", of("A8"), never_shuffle),
]
