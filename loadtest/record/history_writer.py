"""Writes a history: one JSON line per observation, read back by loadtest/record/history.py (ARCHITECTURE.md)."""

from collections.abc import Sequence
from typing import Any, BinaryIO

import orjson

from client_sim.message_cache import digest
from client_sim.observations import (
    Arrival,
    ClockReading,
    Conn,
    Differing,
    End,
    Fact,
    Greeting,
    HealthSample,
    Heard,
    Hushed,
    Observation,
    OwnClock,
    PlannedTaps,
    SentComment,
    SentGrab,
    SequenceRun,
    StrayReceipt,
    UnreadAnswer,
)
from server.core.packets.claim import HOLDS_SHARE, ClaimStatus
from server.core.rooms.feed import FactKind

_OK = frozenset(status.value for status in HOLDS_SHARE)
_UNKNOWN = frozenset({None, ClaimStatus.UNAVAILABLE.value})  # no answer, or one of a server whose store was away
_GRAB = ("i", "conn", "viewer", "packet", "request_id", "behaviour", "t_intended", "t_sent", "t_reply")
_REPLY = ("status", "amount_fen", "index", "claim_id", "edition")
_STRAY = ("request_id", "status", "amount_fen", "index", "claim_id")
_FACT = ("room", "epoch", "t_first", "t_last", "count")
_HEARD = ("room", "viewer", "other", "t_first", "t_last", "count")
_CONN = (
    "conn", "viewer", "room", "t_open", "t_welcome", "epoch", "seq", "resumed_from", "resync", "t_close", "code",
    "patience_ms",
)  # fmt: skip
_AS_THEY_ARE: dict[type[Any], tuple[str, tuple[str, ...]]] = {
    Conn: ("conn", _CONN),
    SequenceRun: ("run", ("conn", "epoch", "first_seq", "last_seq")),
    Arrival: ("arrival", ("conn", "packet", "t", "start_skew_ns")),
    Greeting: ("welcome", ("room", "epoch", "seq", "packets", "t_first", "t_last", "count")),
    SentComment: ("comment", ("conn", "viewer", "room", "t", "text")),
    Hushed: ("hushed", ("conn", "t")),
    OwnClock: ("own_clock", ("clock",)),
    ClockReading: ("reading", ("server_ms", "t", "rtt_ns", "speed")),
    UnreadAnswer: ("unread", ("grab", "what", "mend", "said")),
    PlannedTaps: ("taps", ("planned", "sent", "no_packet")),
    End: ("end", ("grabs", "conns")),
}
"""The kind and the fields of the lines that hold an observation as it is."""


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
        case Fact():
            return _fact(observation)
        case Heard():
            return _heard(observation)
        case Differing(conn, message):
            return {"kind": "differ", "conn": conn, "seq": message.seq, "hash": message.hash}
        case HealthSample(values):
            return {"kind": "health", **values}
    kind, fields = _AS_THEY_ARE[type(observation)]
    return {"kind": kind, **{name: getattr(observation, name) for name in fields}}


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
        **({"result": _result(message.body)} if message.kind == FactKind.RESULT else {}),
    }


def _result(body: dict[str, Any]) -> dict[str, Any]:
    best = [_typed(each, viewer_id=str, amount_fen=int, index=int) for each in _objects(body.get("best_luck"))]
    return {
        **_typed(body, granted_count=int),
        "best_luck": [each for each in best if None not in each.values()],
    }


def _heard(heard: Heard) -> dict[str, Any]:
    body = heard.message.body
    said = (_typed(each, viewer_id=str, text=str) for each in _objects(body.get("comments")))
    return {
        "kind": "heard",
        "type": heard.message.kind,
        "packet": heard.message.packet_id,
        **{name: getattr(heard, name) for name in _HEARD},
        **_typed(body, remaining=int, left_ms=int),
        "comments": [list(each.values()) for each in said if None not in each.values()],
    }


def _typed(body: dict[str, Any], **types: type) -> dict[str, Any]:
    """Return these fields of a message, with None for one of another type: a broken server must not break a run."""
    return {name: body.get(name) if type(body.get(name)) is wanted else None for name, wanted in types.items()}


def _objects(given: Any) -> list[dict[str, Any]]:
    return [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
