"""Wordings of a diagram: a record in one line of text, and what contradicts what for each invariant."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from loadtest.record.shape import Line
from loadtest.report.findings import grouped
from server.core.text import visible

TEXT_MAX = 160

CONTRADICTIONS = {
    "A1": "The shares that were given contradict what was put into the packet",
    "A2": "The word that nothing is left contradicts the shares that are",
    "A3": "A second share contradicts the first one of the same viewer",
    "A4": "A receipt and the books contradict each other",
    "A5": "The books at the end contradict what was acknowledged",
    "A6": "The answers to the same question contradict each other",
    "A7": "The instants of a share and of the taps and receipts around it contradict each other",
    "A8": "The share in the books contradicts what was committed to before the opening",
    "A9": "The messages of a connection contradict those of its room",
    "A10": "The balance or counter contradicts the movements in the journal",
    "A12": "The receipts of a tap contradict the rule that each tap gets exactly one",
    "A13": "A refusal contradicts what was true while it was asked for",
    "A14": "The publication of a message contradicts the instant at which it was due",
}
"""The first half of a caption; the second is what the audit says of this violation."""


def caption_of(invariant: str, detail: str) -> str:
    """Return one sentence that says what contradicts what."""
    return clean(f"{CONTRADICTIONS[invariant]}: {grouped(detail)}", 2 * TEXT_MAX)


def clean(text: object, most: int = TEXT_MAX) -> str:
    """Return a text from strangers on one line, without characters that steer a terminal, and bounded."""
    kept = visible(str(text)[: most + 1], one_line=True)
    return kept if len(kept) <= most else f"{kept[: most - 3]}..."


def wording_of(record: Line) -> str:
    """Return a record of evidence in one line."""
    word = _WORDINGS.get(str(record.get("kind")))
    return clean(_pairs(record) if word is None else word(record))


def short_of(record: Line) -> str:
    """Return what stands beside a record in a diagram: the least that tells it from another."""
    if record.get("kind") in ("grab", "stray", "claim"):
        by = clean(record.get("request_id") or record.get("viewer_id") or "", 24)
        return clean(f"{by}: {_outcome(record)}", 64)
    if record.get("kind") == "journal":
        return clean(record["claim"]["viewer_id"] if "claim" in record else record.get("movement", ""), 40)
    return clean(record.get("type") or record["kind"], 40)


def _outcome(record: Mapping[str, Any]) -> str:
    told = [str(record["status"])] if record.get("status") else []
    told += [f"share {record['index']}"] if record.get("index") is not None else []
    told += [f"{record['amount_fen']:,} fen"] if record.get("amount_fen") is not None else []
    return ", ".join(told) or "no receipt"


def _grab(record: Line) -> str:
    again = " (a further receipt)" if record.get("again") else ""
    return f"tap {record['request_id']}: {_outcome(record)}{again}"


def _stray(record: Line) -> str:
    return f"a receipt for {record['request_id']}, which this connection did not send: {_outcome(record)}"


def _claim(record: Line) -> str:
    return f"claim at the end: {record['viewer_id']} holds {_outcome(record)}, by tap {record.get('request_id')}"


def _journal(record: Line) -> str:
    if "claim" in record:
        claim = record["claim"]
        return (
            f"entry {record['entry_id']} gives {_outcome(claim)} to {claim['viewer_id']}, by tap {claim['request_id']}"
        )
    moved = f"{record['movement']} of {record['amount_fen']:,} fen"
    return f"entry {record['entry_id']}: {moved} from {record['debit'] or '-'} to {record['credit'] or '-'}"


def _packet(record: Line) -> str:
    if "given" not in record:
        return _pairs(record) if "at_ms" not in record else f"the instant at which packet {record['packet_id']} was due"
    return (
        f"packet {record['packet_id']} has {record['share_count']} shares of {record['total_fen']:,} fen: "
        f"given {record['given']} ({record['given_fen']:,} fen), remaining {record['remaining']} "
        f"({record['remaining_fen']:,}), returned {record['returned']} ({record['returned_fen']:,})"
    )


def _declared(record: Line) -> str:
    total = "" if record.get("total_fen") is None else f" of {record['total_fen']:,} fen"
    return f"packet {record['packet_id']} was declared with {record['share_count']} shares{total}"


def _fact(record: Line) -> str:
    return f"message {record['seq']} of room {record['room']}: {record['type']} of {record['packet']}"


def _heard(record: Line) -> str:
    about = record["packet"] or "no packet"
    return f"{record['type']} of {about} in room {record['room']}, which {record['viewer']} heard first"


def _welcome(record: Line) -> str:
    shown = ", ".join(map(str, record["packets"])) or "no packet"
    return f"a welcome to room {record['room']} after message {record['seq']} shows {shown}"


def _comment(record: Line) -> str:
    return f"{record['viewer']} said in room {record['room']}: {record['text']}"


def _run(record: Line) -> str:
    return f"connection {record['conn']} received messages {record['first_seq']} to {record['last_seq']}"


def _conn(record: Line) -> str:
    return f"connection {record['conn']} of {record['viewer']} in room {record['room']}"


def _differ(record: Line) -> str:
    return f"connection {record['conn']} received message {record['seq']} with other bytes"


def _pairs(record: Line) -> str:
    told = {name: value for name, value in record.items() if value is not None and name not in ("kind", "process")}
    values = {name: value if isinstance(value, str) else orjson.dumps(value).decode() for name, value in told.items()}
    return f"{record.get('kind', 'record')}: {', '.join(f'{name} {value}' for name, value in values.items())}"


_WORDINGS: dict[str, Callable[[Line], str]] = {
    "grab": _grab,
    "stray": _stray,
    "claim": _claim,
    "journal": _journal,
    "packet": _packet,
    "declared": _declared,
    "fact": _fact,
    "heard": _heard,
    "welcome": _welcome,
    "comment": _comment,
    "run": _run,
    "conn": _conn,
    "differ": _differ,
}
