"""Writes a history: one JSON line per observation, read back by loadtest/record/history.py (ARCHITECTURE.md)."""

from collections.abc import Sequence
from typing import Any, BinaryIO, assert_never

import orjson

from client_sim.message_cache import digest
from client_sim.observations import (
    Arrival,
    ClockReading,
    Conn,
    Differing,
    End,
    Fact,
    HealthSample,
    Observation,
    SentGrab,
    SequenceRun,
    StrayReceipt,
)
from server.core.packets.claim import HOLDS_SHARE, ClaimStatus

_OK = frozenset(status.value for status in HOLDS_SHARE)
_UNKNOWN = frozenset({None, ClaimStatus.UNAVAILABLE.value})  # no answer, or one of a server whose store was away
_CONN = (
    "conn", "viewer", "room", "t_open", "t_welcome", "epoch", "seq", "resumed_from", "resync", "t_close", "code",
    "patience_ms",
)  # fmt: skip

_GRAB = ("i", "conn", "viewer", "packet", "request_id", "behaviour", "t_intended", "t_sent", "t_reply")
_REPLY = ("status", "amount_fen", "index", "claim_id", "edition")
_STRAY = ("request_id", "status", "amount_fen", "index", "claim_id")
_FACT = ("room", "epoch", "t_first", "t_last", "count")


class HistoryWriter:
    """Writes into *file*, which it flushes and never closes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, observations: Sequence[Observation]) -> None:
        """Write some observations, in order."""
        self._file.write(b"\n".join(orjson.dumps(line_of(each)) for each in observations) + b"\n")

    def flush(self) -> None:
        """Flush the file."""
        self._file.flush()


def line_of(observation: Observation) -> dict[str, Any]:
    """Return the line of an observation, ``kind`` first."""
    match observation:
        case SentGrab():
            return _grab(observation)
        case StrayReceipt(conn, viewer, t, reply):
            told = {name: reply.get(name) for name in _STRAY}
            return {"kind": "stray", "conn": conn, "viewer": viewer, "t": t, "packet": reply.get("packet_id"), **told}
        case Conn():
            return {"kind": "conn", **{name: getattr(observation, name) for name in _CONN}}
        case SequenceRun(conn, epoch, first_seq, last_seq):
            return {"kind": "run", "conn": conn, "epoch": epoch, "first_seq": first_seq, "last_seq": last_seq}
        case Arrival(conn, packet, t, start_skew_ns):
            return {"kind": "arrival", "conn": conn, "packet": packet, "t": t, "start_skew_ns": start_skew_ns}
        case Fact():
            return _fact(observation)
        case Differing(conn, message):
            return {"kind": "differ", "conn": conn, "seq": message.seq, "hash": message.hash}
        case HealthSample(values):
            return {"kind": "health", **values}
        case ClockReading(server_ms, t, rtt_ns):
            return {"kind": "reading", "server_ms": server_ms, "t": t, "rtt_ns": rtt_ns}
        case End(grabs, conns):
            return {"kind": "end", "grabs": grabs, "conns": conns}
    assert_never(observation)


def _grab(grab: SentGrab) -> dict[str, Any]:
    status = grab.reply.get("status")
    return {
        "kind": "grab",
        **{name: getattr(grab, name) for name in _GRAB},
        "type": "info" if status in _UNKNOWN else "ok" if status in _OK else "fail",
        **{name: grab.reply.get(name) for name in _REPLY},
        "receipt": digest(grab.payload) if grab.payload else None,
        "t_gave_up": grab.t_gave_up,
        "again": grab.again,
    }


def _fact(fact: Fact) -> dict[str, Any]:
    message = fact.message
    return {
        "kind": "fact",
        **{name: getattr(fact, name) for name in _FACT},
        "seq": message.seq,
        "type": message.kind,
        "packet": message.packet_id,
        "hash": message.hash,
        "at_ms": message.body.get("server_ms"),
    }
