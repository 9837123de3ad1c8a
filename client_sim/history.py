"""The records of a history, each with its line (ARCHITECTURE.md). Times are CLOCK_MONOTONIC nanoseconds."""

from dataclasses import dataclass, field
from typing import Any

from client_sim.behaviour import Behaviour
from client_sim.message_cache import CachedMessage, digest
from server.core.ids import PacketId, RequestId, RoomId, ViewerId
from server.core.packets.claim import HOLDS_SHARE, ClaimStatus

_OK = frozenset(status.value for status in HOLDS_SHARE)
_UNKNOWN = frozenset({None, ClaimStatus.UNAVAILABLE.value})  # no answer, or one of a server whose store was away

Line = dict[str, Any]


@dataclass(slots=True)
class Conn:
    """One connection of a seat, from its opening to its end. Times are CLOCK_MONOTONIC nanoseconds."""

    conn: str
    viewer: ViewerId
    room: RoomId
    t_open: int
    t_welcome: int | None = None
    epoch: str | None = None
    seq: int | None = None
    resumed_from: int | None = None  # the last fact it said it had heard; None if it comes for the first time
    resync: bool | None = None
    t_close: int | None = None
    code: int | None = None
    run_first: int = 0
    run_last: int = 0
    slow: bool = False

    def line(self) -> Line:
        """Return the ``conn`` line."""
        names = ["conn", "viewer", "room", "t_open", "t_welcome", "epoch", "seq", "resumed_from", "resync"]
        names += ["t_close", "code"]
        return {"kind": "conn", **{name: getattr(self, name) for name in names}}

    def run_line(self) -> Line:
        """Return the ``run`` line of the numbers that came without a break until now."""
        return {
            "kind": "run",
            "conn": self.conn,
            "epoch": self.epoch,
            "first_seq": self.run_first,
            "last_seq": self.run_last,
        }


@dataclass(slots=True)
class SentGrab:
    """One grab as it was sent, and what became of it: the outcome is unknown until a receipt comes."""

    i: int
    conn: str
    viewer: ViewerId
    packet: PacketId
    request_id: RequestId
    behaviour: Behaviour
    t_intended: int
    t_sent: int
    t_reply: int | None = None
    reply: dict[str, Any] = field(default_factory=dict)
    payload: bytes = b""

    def line(self) -> Line:
        """Return the ``grab`` line."""
        status = self.reply.get("status")
        return {
            "kind": "grab",
            "i": self.i,
            "conn": self.conn,
            "viewer": self.viewer,
            "packet": self.packet,
            "request_id": self.request_id,
            "behaviour": self.behaviour,
            "t_intended": self.t_intended,
            "t_sent": self.t_sent,
            "t_reply": self.t_reply,
            "type": "info" if status in _UNKNOWN else "ok" if status in _OK else "fail",
            "status": status,
            "amount_fen": self.reply.get("amount_fen"),
            "index": self.reply.get("index"),
            "claim_id": self.reply.get("claim_id"),
            "edition": self.reply.get("edition"),
            "receipt": digest(self.payload) if self.payload else None,
        }


@dataclass(slots=True)
class Fact:
    """A numbered message of a room as this process first heard it, and how it arrived over its connections."""

    heard: CachedMessage
    t_first: int
    t_last: int
    count: int

    def line(self, room: RoomId, epoch: str, seq: int) -> Line:
        """Return the ``fact`` line."""
        return {
            "kind": "fact",
            "room": room,
            "epoch": epoch,
            "seq": seq,
            "type": self.heard.kind,
            "packet": self.heard.packet_id,
            "hash": self.heard.hash,
            "t_first": self.t_first,
            "t_last": self.t_last,
            "count": self.count,
        }
