"""Declared packets: a scenario's description of a foreign service's packets, which are in no books of ours."""

from collections.abc import Iterable
from typing import NamedTuple

from loadtest.record.shape import BadField, BadRecord, Line, Shape
from server.core.ids import PacketId


class DeclaredRecord(NamedTuple):
    """
    One packet as it was declared; None means not declared.

    ``opens_ns`` and ``closes_ns`` are nanoseconds of the history's clock; shares and total are in fen.
    """

    packet_id: PacketId
    share_count: int
    total_fen: int | None
    opens_ns: int | None
    closes_ns: int | None
    one_per_viewer: bool
    min_share_fen: int | None
    max_share_fen: int | None


Declarations = dict[PacketId, DeclaredRecord]
_SHAPE = Shape(DeclaredRecord)


def declarations_from(lines: Iterable[Line]) -> Declarations:
    """Read the ``declared`` objects of ``run.json``. Raises BadRecord, which names the packet and the field."""
    declared: Declarations = {}
    for number, line in enumerate(lines, start=1):
        where = f"declared packet {number}"
        try:
            record = _SHAPE.read(line)
        except BadField as error:
            raise BadRecord(f"{where}: {error}") from None
        if record.packet_id in declared:
            raise BadRecord(f"{where}: {record.packet_id} is declared twice")
        if record.share_count < 1:
            raise BadRecord(f"{where}: share_count must be at least 1, but is {record.share_count}")
        declared[record.packet_id] = record
    return declared
