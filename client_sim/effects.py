"""The effects of a viewer: the actions that its shell must carry out now."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Send:
    """Send a text message."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Drop:
    """Drop the connection without a close frame, and reconnect."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Read nothing until *until_ns*."""

    until_ns: int


Effect = Send | Drop | Rest
NOTHING: tuple[Effect, ...] = ()
