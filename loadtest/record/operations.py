"""Operations: a run's history in the form that Jepsen's checkers and their like read (docs/history.md)."""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from loadtest.record.history import ConnId, GrabRecord, History


class HistoryFormat(StrEnum):
    """A notation for operations: EDN as Jepsen writes it, or the same as lines of JSON."""

    JEPSEN = "jepsen"
    JSON = "json"


class GrabOperation(NamedTuple):
    """
    One half of a grab: its ``invoke``, or its completion ``ok``, ``fail`` or ``info``.

    ``value`` is ``[packet, viewer, index, amount]``; index and amount are None until a share is known. ``time`` is in
    nanoseconds since the first tap.
    """

    index: int  # type: ignore[assignment]  # a field here, not the tuple's method
    process: int
    type: str
    value: list[Any]
    time: int
    status: str | None
    request_id: str
    conn: str


class _Half(NamedTuple):
    """A half before it has a process; ``rank`` lets a process end one operation before it begins the next."""

    t: int
    rank: int
    number: int


def operations_of(history: History) -> Iterator[GrabOperation]:
    """
    Yield the operations in order of time; further receipts of an answered tap are no operations.

    A process has at most one operation that is open. A connection with several taps on their way is several processes,
    and one whose tap was never answered goes on under another number, as Jepsen's processes do.
    """
    grabs = [grab for grab in history.grabs if not grab.again]
    closed = {(conn.process, conn.conn): conn.t_close for conn in history.conns}
    end = max((t for grab in grabs for t in (grab.t_sent, grab.t_reply, grab.t_gave_up) if t is not None), default=0)
    halves = sorted(_halves(grabs, closed, end))
    begins = halves[0].t if halves else 0
    free: defaultdict[tuple[int, ConnId], list[int]] = defaultdict(list)
    process_of: dict[int, int] = {}
    count = 0
    for index, half in enumerate(halves):
        grab = grabs[half.number]
        idle = free[grab.process, grab.conn]
        if half.number not in process_of:
            if not idle:
                heapq.heappush(idle, count)
                count += 1
            process_of[half.number] = heapq.heappop(idle)
            yield _operation(index, process_of[half.number], "invoke", half.t - begins, grab)
            continue
        process, kind = process_of.pop(half.number), _type_of(grab)
        if kind != "info":
            heapq.heappush(idle, process)
        yield _operation(index, process, kind, half.t - begins, grab)


def _halves(grabs: Sequence[GrabRecord], closed: dict[tuple[int, ConnId], int | None], end: int) -> Iterator[_Half]:
    for number, grab in enumerate(grabs):
        known = (grab.t_reply, grab.t_gave_up, closed.get((grab.process, grab.conn)), end)
        ends = max(grab.t_sent, next(t for t in known if t is not None))
        yield _Half(grab.t_sent, 1, number)
        yield _Half(ends, 0 if ends > grab.t_sent else 2, number)


def _type_of(grab: GrabRecord) -> str:
    return "info" if grab.t_reply is None else grab.type


def _operation(index: int, process: int, kind: str, time: int, grab: GrabRecord) -> GrabOperation:
    share = [grab.index, grab.amount_fen] if kind == "ok" else [None, None]
    status = None if kind == "invoke" else grab.status
    value = [grab.packet, grab.viewer, *share]
    return GrabOperation(index, process, kind, value, time, status, grab.request_id, str(grab.conn))


def written(operations: Iterable[GrabOperation], notation: HistoryFormat) -> Iterator[bytes]:
    """Yield one line for each operation."""
    for operation in operations:
        yield _edn(operation) if notation is HistoryFormat.JEPSEN else _json(operation)


def _json(operation: GrabOperation) -> bytes:
    return orjson.dumps({"f": "grab", **operation._asdict()}, option=orjson.OPT_APPEND_NEWLINE)


def _edn(operation: GrabOperation) -> bytes:
    value = " ".join(map(_term, operation.value))
    told = "" if operation.status is None else f", :status {_term(operation.status)}"
    return (
        f"{{:index {operation.index}, :process {operation.process}, :type :{operation.type}, :f :grab, "
        f":value [{value}], :time {operation.time}{told}, :request-id {_term(operation.request_id)}, "
        f":conn {_term(operation.conn)}}}\n"
    ).encode()


def _term(value: str | int | None) -> str:
    """Return a value in EDN, whose strings are JSON's."""
    return "nil" if value is None else orjson.dumps(value).decode()
