"""Convert a packet's stored record, counters and claims to our types."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from server.core.ids import CreatorId, RequestId
from server.core.packets.capabilities import ALL_CAPABILITIES, Capabilities
from server.core.packets.claim import Share
from server.core.packets.packet import Edition, Packet, Schedule, Terms

Record = Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Counts:
    """
    The counts of a packet's shares and their fen: granted, remaining and returned sum to the packet's.

    Only an allocator that grants too much makes the sum larger. Of the granted ones, orders hold the locked and the
    redeemed, the final are paid out and the expired returned, both permanently; all others are available.
    """

    given: int
    given_fen: int
    remaining: int
    remaining_fen: int
    returned: int
    returned_fen: int
    locked: int = 0
    locked_fen: int = 0
    redeemed: int = 0
    redeemed_fen: int = 0
    expired: int = 0
    expired_fen: int = 0
    final: int = 0
    final_fen: int = 0


_OF_ASSETS = ("locked", "locked_fen", "redeemed", "redeemed_fen", "expired", "expired_fen", "final", "final_fen")


def packet_from(record: Record) -> Packet:
    """Return the packet of an existing record."""
    fields = text_fields(record)
    scope, entrances = fields.get("product_ids"), fields.get("entrances")
    return _PACKET.validate_python({
        **fields,
        "host_id": host_of(record),
        "terms": _TERMS.validate_python(fields),
        "schedule": _SCHEDULE.validate_python(fields) if "claim_end_at_ms" in fields else None,
        "capabilities": capabilities_of(record),
        "product_ids": None if scope is None else scope.split(","),
        "entrances": entrances.split(",") if entrances else None,
        "launch_mode": fields.get("launch_mode") or None,
        "editions": [edition for edition, _ in editions_of(record)],
    })  # fmt: skip


_PACKET, _TERMS, _SCHEDULE = TypeAdapter(Packet), TypeAdapter(Terms), TypeAdapter(Schedule)


def editions_of(record: Record) -> list[tuple[Edition, str]]:
    """
    Return the editions of a packet's issuance, each with its seed in hexadecimal, secret until the packet ends.

    A packet that was never edited has the one that its own fields describe.
    """
    text = record.get(b"editions")
    if text is None:
        first = (b"0", *(record[name] for name in (b"share_count", b"total_fen", b"commitment", b"seed")))
        text = b",".join(first)
    editions: list[tuple[Edition, str]] = []
    for number, part in enumerate(text.decode().split(";"), start=1):
        first_index, share_count, total_fen, commitment, seed = part.split(",")
        editions.append((Edition(number, int(first_index), int(share_count), int(total_fen), commitment), seed))
    return editions


def host_of(record: Record) -> CreatorId | None:
    """Return whose room a packet was launched into; an earlier version knew only rooms of the packet's own creator."""
    if b"room_id" not in record:
        return None
    return CreatorId(record.get(b"host_id", record[b"creator_id"]).decode())


def counts_from(record: Record, in_list: int) -> Counts:
    """
    Return a packet's counters; *in_list* is the number of shares in its lists.

    The list shows what remains only if the allocator takes shares off it in one step; otherwise the counters do.
    """
    given, given_fen = int(record[b"given"]), int(record[b"given_fen"])
    returned, returned_fen = int(record[b"returned"]), int(record[b"returned_fen"])
    remaining_fen = int(record[b"total_fen"]) - given_fen - returned_fen
    if not capabilities_of(record).one_step:
        remaining_fen = 0 if _is_over(record) else max(0, remaining_fen)
    of_assets = (int(record.get(name.encode(), 0)) for name in _OF_ASSETS)
    remaining = remaining_from(record, in_list)
    return Counts(given, given_fen, remaining, remaining_fen, returned, returned_fen, *of_assets)


def remaining_from(record: Record, in_list: int) -> int:
    """Return how many shares are left of a packet, of whose record REMAINING_FROM is enough."""
    if capabilities_of(record).one_step:
        return in_list
    return 0 if _is_over(record) else max(0, int(record[b"share_count"]) - int(record[b"given"]))


def _is_over(record: Record) -> bool:
    return record[b"state"] in (b"settled", b"voided")


REMAINING_FROM = (b"state", b"share_count", b"given", b"capabilities")
"""The fields that ``remaining_from`` needs, in the order of ``remaining.lua``; the last may be missing."""


def capabilities_of(record: Record) -> Capabilities:
    """Return the capabilities of the packet's allocator; a record without any is of the default allocator."""
    text = record.get(b"capabilities")
    return ALL_CAPABILITIES if text is None else Capabilities.from_text(text.decode())


def seed_of(record: Record, now_ms: int) -> bytes | None:
    """Return the first edition's seed, or None while some of the packet may still be grabbed at room time *now_ms*."""
    state = record[b"state"]
    if state == b"draft" or (state == b"launched" and now_ms < int(record[b"claim_end_at_ms"])):
        return None
    return bytes.fromhex(record[b"seed"].decode())


def editions_shown(record: Record, *, revealed: bool) -> list[dict[str, Any]]:
    """Return a packet's editions for books and result; ``seed`` is None in each unless *revealed*."""
    return [
        {
            **edition._asdict(),
            "commitment": edition.commitment or None,
            "seed": (seed or None) if revealed else None,
        }
        for edition, seed in editions_of(record)
    ]


def text_fields(record: Record) -> dict[str, str]:
    """Return a stored record as text, as pydantic reads our types from it."""
    return {name.decode(): value.decode() for name, value in record.items()}


def share_from(value: bytes) -> Share:
    """Return the share of a stored claim, ``index:amount_fen:edition:request_id``."""
    index, amount_fen, edition, request_id = value.split(b":")
    return Share(int(index), int(amount_fen), int(edition), RequestId(request_id.decode()))


def record_from(flat: Iterable[bytes]) -> dict[bytes, bytes]:
    """Return the record of a script's flat reply: field, value, field, value ..."""
    values = iter(flat)
    return dict(zip(values, values, strict=True))
