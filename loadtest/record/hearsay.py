"""Hearsay: what viewers heard besides facts and receipts, and what they said, as a history keeps it."""

from typing import NamedTuple

from server.core.ids import PacketId, RoomId, ViewerId


class LuckRecord(NamedTuple):
    """One of the best shares of a packet, as a result names it."""

    viewer_id: ViewerId
    amount_fen: int
    index: int  # type: ignore[assignment]  # a field here, not the tuple's method


class ResultRecord(NamedTuple):
    """
    The content of a ``result``: how many shares were granted, and the best ten.

    What is not of the right type stands here as null, or is left out.
    """

    granted_count: int | None
    best_luck: tuple[LuckRecord, ...]


class HeardRecord(NamedTuple):
    """
    One message without a number as one process heard it, over connections that read steadily.

    ``viewer`` heard it first, and ``other`` was the first other viewer. ``remaining`` is that of a ``progress``,
    ``left_ms`` that of a ``countdown``, ``comments`` are pairs of author and text.
    """

    type: str
    packet: PacketId | None
    room: RoomId
    viewer: ViewerId
    other: ViewerId | None
    t_first: int
    t_last: int
    count: int  # type: ignore[assignment]  # a field here, not the tuple's method
    process: int
    remaining: int | None = None
    left_ms: int | None = None
    comments: tuple[tuple[str, str], ...] = ()


class ShownRecord(NamedTuple):
    """A packet in a welcome."""

    packet_id: PacketId
    phase: str
    remaining: int | None
    sold_out: bool


class WelcomeRecord(NamedTuple):
    """The packets that welcomes to a room showed after fact ``seq`` of its feed."""

    room: RoomId
    epoch: str
    seq: int
    packets: tuple[ShownRecord, ...]
    t_first: int
    t_last: int
    count: int  # type: ignore[assignment]  # a field here, not the tuple's method
    process: int


class CommentRecord(NamedTuple):
    """A comment that a viewer sent at ``t``."""

    conn: int | str
    viewer: ViewerId
    room: RoomId
    t: int
    text: str
    process: int


class HushedRecord(NamedTuple):
    """A connection was told at ``t`` that something it said was too much."""

    conn: int | str
    t: int
    process: int
