"""The effects of a viewer: what its shell is to do now."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Send:
    """Send a text message."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Drop:
    """Lose the connection, without a word, and come back."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Read nothing until *until_ns*."""

    until_ns: int


Effect = Send | Drop | Rest
NOTHING: tuple[Effect, ...] = ()
