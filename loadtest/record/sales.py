"""Sales: the answers to buyers about their orders, as the shop driver recorded them (orders.jsonl)."""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from client_sim.buyer import Deed, Habit
from loadtest.record.shape import BadField, BadRecord, Line, Shape, evidence_of, lines_of, numbered
from server.core.ids import CreatorId, OrderId, ViewerId
from server.core.orders.order import OrderState


class AnswerRecord(NamedTuple):
    """
    One request and its answer, at room instant ``room_ms``: the order's state, or the ``code`` that refused it.

    ``asked_fen`` is the amount that a refund asked for; ``shown`` whether the buyer was shown the reported step.
    ``repeated`` marks the same request sent again.
    """

    asset_id: str
    viewer_id: ViewerId
    habit: Habit
    deed: Deed
    name: str
    order_id: OrderId | None
    room_ms: int
    code: str
    state: str | None
    payable_fen: int | None
    kept_fen: int | None
    asked_fen: int | None
    shown: bool | None
    repeated: bool


class SaleRecord(NamedTuple):
    """An order at the end: paid and kept amounts in fen, and ``[asset_id, used_fen, state]`` of its packets."""

    order_id: OrderId
    creator_id: CreatorId
    viewer_id: ViewerId
    merchant_id: str
    habit: Habit
    state: OrderState
    paid_at_ms: int | None
    payable_fen: int
    kept_fen: int
    packets: tuple[tuple[str, int, str], ...]
    timeline: int


class SalesFile:
    """Writes the file, line by line, from several threads."""

    def __init__(self, path: Path) -> None:
        self.refusals: Counter[str] = Counter()
        self._file = path.open("wb")
        self._lock = threading.Lock()
        self._answers = self._sales = 0

    def answer(self, record: AnswerRecord) -> None:
        """Add an answer to a buyer, and count it if it was a refusal."""
        with self._lock:
            self._answers += 1
            if record.code:
                self.refusals[f"{record.deed}: {record.code}"] += 1
            self._write(evidence_of("answer", record))

    def sale(self, record: SaleRecord) -> None:
        """Add an order at its end."""
        with self._lock:
            self._sales += 1
            self._write(evidence_of("sale", record))

    def end(self) -> None:
        """Write the end line."""
        self._write(evidence_of("end", SalesEnd(self._answers, self._sales)))

    def close(self) -> None:
        """Close the file; without an end it counts as cut off."""
        self._file.close()

    def _write(self, line: Line) -> None:
        self._file.write(orjson.dumps(line) + b"\n")


class SalesEnd(NamedTuple):
    """The last line of the file: the counts of its records."""

    answers: int
    sales: int


@dataclass(slots=True)
class Sales:
    """All lines of the file; empty without a shop. Filled once by the reader and only read afterwards."""

    answers: list[AnswerRecord] = field(default_factory=list)
    sales: list[SaleRecord] = field(default_factory=list)


def read_sales(path: Path) -> Sales:
    """Read the file at *path*; a missing file means a run without a shop. Raises BadRecord."""
    if not path.exists():
        return Sales()
    return _read(lines_of(path), str(path))


def sales_from(lines: Iterable[Line]) -> Sales:
    """Read lines that are in memory. Raises BadRecord as ``read_sales`` does."""
    return _read(numbered(map(dict, lines), "orders"), "orders")


def _read(lines: Iterator[tuple[str, Line]], name: str) -> Sales:
    sales, end = Sales(), None
    kinds: dict[str, tuple[Shape[Any], Any]] = {
        "answer": (Shape(AnswerRecord), sales.answers.append),
        "sale": (Shape(SaleRecord), lambda sale: sales.sales.append(_whole(sale))),
    }
    end_shape = Shape(SalesEnd)
    for where, line in lines:
        if end is not None:
            raise BadRecord(f"{where}: comes after the end")
        kind = line["kind"]
        try:
            if kind == "end":
                end = end_shape.read(line)
            elif kind in kinds:
                shape, keep = kinds[kind]
                if kind == "sale":
                    line["packets"] = tuple(map(tuple, line.get("packets", ())))
                keep(shape.read(line))
            else:
                raise BadField("no such kind of line")
        except BadField as error:
            raise BadRecord(f"{where}: {kind}: {error}") from None
    if end is None:
        raise BadRecord(f"{name}: has no end line: it is cut off")
    if end != (len(sales.answers), len(sales.sales)):
        raise BadRecord(f"{name}: its end promises {end.answers} answers and {end.sales} sales, but others stand in it")
    return sales


def _whole(sale: SaleRecord) -> SaleRecord:
    """Return *sale* if its packets are well-formed. Raises BadField."""
    for packet in sale.packets:
        if len(packet) != 3 or [type(each) for each in packet] != [str, int, str]:
            raise BadField(f"packets must be lists of asset id, fen and state, but has {packet!r}")
    return sale
