"""Sales: the answers to buyers about their orders, as the shop driver recorded them (orders.jsonl)."""

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import orjson

from client_sim.buyer import Deed, Habit
from loadtest.record.book_orders import OrderedDiscount, OrderedLine
from loadtest.record.given_file import Allowance
from loadtest.record.shape import BadField, BadRecord, Line, Shape, evidence_of, lines_of, read_all
from server.core.ids import CreatorId, OrderId, ViewerId
from server.core.orders.order import OrderState


class OrderAsked(NamedTuple):
    """An order as its buyer asked for it: the lines, discounts, packets and rates from which its price follows."""

    client: str
    merchant_id: str
    lines: tuple[OrderedLine, ...]
    discounts: tuple[OrderedDiscount, ...]
    asset_ids: tuple[str, ...]
    shipping_fen: int
    service_fee_fen: int
    commission_rate: int
    service_fee_rate: int


class AnswerRecord(NamedTuple):
    """
    One request and its answer, at room instant ``room_ms``: the order's state, or the ``code`` that refused it.

    ``asked_fen`` is the amount that a refund asked for, ``asked`` the order that was asked for; ``shown`` whether the
    buyer was shown the reported step. ``repeated`` marks the same request sent again.
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
    asked: OrderAsked | None = None


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


def read_sales(path: Path, allowance: Allowance | None = None) -> Sales:
    """Read the file at *path*; a missing file means a run without a shop. Raises BadRecord."""
    if not path.exists():
        return Sales()
    return sales_of(lines_of(path, allowance), str(path))


def sales_of(lines: Iterable[tuple[int, Line]], name: str) -> Sales:
    """Return the sales in the lines of the file *name*. Raises BadRecord as ``read_sales`` does."""
    sales, end = Sales(), SalesEnd(0, 0)

    def take(line: Line) -> None:
        nonlocal end
        match line["kind"]:
            case "answer":
                sales.answers.append(_ANSWER.read(line))
            case "sale":
                sales.sales.append(_SALE.read(line))
            case "end":
                end = _END.read(line)
            case _:
                raise BadField("no such kind of line")

    read_all(lines, name, take)
    if end != (len(sales.answers), len(sales.sales)):
        raise BadRecord(f"{name}: its end promises {end.answers} answers and {end.sales} sales, but others stand in it")
    return sales


_ANSWER = Shape(AnswerRecord)
_SALE = Shape(SaleRecord)
_END = Shape(SalesEnd)
