"""Findings: the invariants with their meanings, and every counterexample as readable tables."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from loadtest.record.shape import Line
from loadtest.report.timebase import Timebase, shanghai
from loadtest.verdict.audit import INVARIANTS

VIOLATIONS_MAX = 40
RECORDS_MAX = 12
CELL_MAX = 80

MEANINGS = {
    "A1": "No packet gave away more shares, or more money, than was put into it.",
    "A2": "When viewers were told that nothing is left, every share really was given.",
    "A3": "Nobody holds two shares of one packet.",
    "A4": "Every share in a receipt is in the books, and every share in the books was asked for.",
    "A5": "What a viewer was told it won is still in the books at the end.",
    "A6": "Asking again gives the same answer: the same share, and for the same request the same bytes.",
    "A7": "Shares were given only inside the window, in the order of the taps, and sold out was never said too soon.",
    "A8": "Every share is the one committed to before the window opened: its amount, one owner, none skipped.",
    "A9": "Every connected viewer received every fact of its room once and in order; a resume delivered missed ones.",
    "A10": "Every movement has equal debit and credit, and every wallet follows from its journal.",
    "A12": "Every grab on a connection that lived on got exactly one receipt, within the viewer's patience.",
    "A13": "Every refusal was true when it was told, by the schedule, the journal and the stated limits.",
    "A14": "Every fact that must come was published in time by the store's clock, and what a room was told is true.",
}
MEANINGS_OF_FOREIGN = {
    "A4": "Every share a viewer was told of is in the service's books as told, and every claim there was asked for.",
    "A5": "What a viewer was told it won is in the service's books at the end.",
    "A6": "Asking again gives the same share, and no request is both granted and refused for lack of shares.",
    "A7": "Shares were given only inside the window, and sold out was never said before a winner had tapped.",
    "A8": "Every share has one owner, lies in the packet, and is as large as was declared.",
    "A12": "Every grab on a connection that lived on got an answer within the viewer's patience.",
}
"""The invariants with another meaning for a foreign service, whose commitments and journal are unknown."""

FAIRNESS = "Success by room, server process and order of arrival. Reported only; never decides the verdict."

_TITLES = {
    "packet": "the packet in the books",
    "creator": "the creator in the books",
    "journal": "journal: movements of money",
    "claim": "books: who owns which share at the end",
    "left": "books: the shares that were returned",
    "grab": "history: what viewers sent and were told",
    "stray": "history: receipts that went astray",
    "conn": "history: connections",
    "fact": "history: room messages",
    "run": "history: unbroken runs of room messages",
    "differ": "history: messages that differed",
    "declared": "declaration: the packet as the scenario describes it",
    "arrival": "history: arrivals of the opening",
    "answer": "sales: what buyers were told",
    "sale": "sales: how an order ended",
    "order": "books: orders at the end",
}
_UNTOLD = frozenset(["kind", "i", "process", "receipt"])
_TOLD_OF_PACKET = frozenset(["packet_id", "state", "share_count", "total_fen"])
_TOLD_OF_PACKET |= {"given", "given_fen", "remaining", "remaining_fen", "returned", "returned_fen"}
_WINDOW = frozenset(["opens_ns", "closes_ns"])
_LARGE = re.compile(r"(?<![\w.:#-])\d{4,}(?![\w:-]|\.\w)")
_PLAIN_NUMBERS = frozenset(["seq", "first_seq", "last_seq", "index", "edition", "code"])


@dataclass(frozen=True, slots=True)
class Invariant:
    """
    One line of the table. ``violations`` counts the ways in which it is broken; None is reported only.

    ``outcome`` and ``why`` are those of the result: why it was not checked, or not in full.
    """

    name: str
    title: str
    meaning: str
    violations: int | None
    outcome: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class RecordTable:
    """Records of one kind: columns and rows of text; ``numeric`` says which columns are set to the right."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    numeric: list[bool]


@dataclass(frozen=True, slots=True)
class Counterexample:
    """One violation: where, a sentence, and the records that show it."""

    invariant: str
    title: str
    meaning: str
    packet_id: str
    detail: str
    tables: list[RecordTable]


def invariants_of(
    outcomes: Sequence[Mapping[str, Any]], violations: Sequence[Mapping[str, Any]], *, foreign: bool
) -> list[Invariant]:
    """Return A1 to A14 in order, with the outcome and the number of violations of each."""
    broken = [violation["invariant"] for violation in violations]
    meanings = MEANINGS | MEANINGS_OF_FOREIGN if foreign else MEANINGS
    lines = []
    for one in outcomes:
        name = one["invariant"]
        if name == "A12":
            lines.append(Invariant("A11", "fairness", FAIRNESS, None))
        count = broken.count(name)
        lines.append(Invariant(name, INVARIANTS[name], meanings[name], count, one["outcome"], one["why"]))
    return lines


def counterexamples_of(
    violations: Sequence[Mapping[str, Any]], timebase: Timebase
) -> tuple[list[Counterexample], list[Counterexample]]:
    """Return the first counterexample to each invariant, and the others, up to a limit."""
    firsts: dict[str, Counterexample] = {}
    others: list[Counterexample] = []
    for violation in violations:
        example = _counterexample(violation, timebase)
        if firsts.setdefault(example.invariant, example) is not example:
            others.append(example)
    return list(firsts.values()), others[:VIOLATIONS_MAX]


def _counterexample(violation: Mapping[str, Any], timebase: Timebase) -> Counterexample:
    name = violation["invariant"]
    kinds: dict[str, list[Line]] = {}
    for record in violation["evidence"][:RECORDS_MAX]:
        kinds.setdefault(str(record.get("kind", "record")), []).append(_flat(record))
    tables = [_table(kind, records, violation["packet_id"], timebase) for kind, records in kinds.items()]
    title, meaning = INVARIANTS.get(name, ""), MEANINGS.get(name, "")
    return Counterexample(name, title, meaning, violation["packet_id"], grouped(violation["detail"]), tables)


def grouped(detail: str) -> str:
    """Return a sentence with thousands separators; ids, which have letters or marks, stay."""
    return _LARGE.sub(lambda found: f"{int(found[0]):,}", detail)


def _flat(record: Line) -> Line:
    """Flatten nested records."""
    flat: Line = {}
    for name, value in record.items():
        flat.update(value if isinstance(value, dict) else {name: value})
    return flat


def _table(kind: str, records: Sequence[Line], packet_id: str, timebase: Timebase) -> RecordTable:
    names = dict.fromkeys(name for record in records for name in record if kind != "packet" or name in _TOLD_OF_PACKET)
    columns = [name for name in names if _told(name, records, packet_id)]
    rows = [[_cell(name, record.get(name), timebase) for name in columns] for record in records]
    numeric = [all(isinstance(record.get(name), int | None) for record in records) for name in columns]
    return RecordTable(_TITLES.get(kind, kind), [_heading(name) for name in columns], rows, numeric)


def _told(name: str, records: Sequence[Line], packet_id: str) -> bool:
    """Tell whether a column adds anything to the heading."""
    if all(record.get(name) is None for record in records):
        return False
    if name == "claim_id":  # ours follows from packet and index; that of a service that tells no index is all there is
        return all(record.get("index") is None for record in records)
    if name in _UNTOLD:
        return False
    return not (name in ("packet", "packet_id") and packet_id and all(r.get(name) == packet_id for r in records))


def _heading(name: str) -> str:
    if name.endswith("at_ms"):
        return name.removesuffix("_ms").removesuffix("_at").replace("_", " ") + " (room time)"
    if name in _WINDOW:
        return name.removesuffix("_ns") + " (s)"
    if name.startswith("t_"):
        return name.removeprefix("t_").replace("_", " ") + " (s)"
    return name.removesuffix("_id").replace("_", " ")


def _cell(name: str, value: Any, timebase: Timebase) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        if name.endswith("at_ms"):
            return shanghai(value, "%H:%M:%S.") + f"{value % 1000:03}"
        if name.startswith("t_") or name == "t" or name in _WINDOW:
            return f"{timebase.seconds(value):,.6f}"
        return str(value) if name in _PLAIN_NUMBERS else f"{value:,}"
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= CELL_MAX else f"{text[:CELL_MAX]}..."
