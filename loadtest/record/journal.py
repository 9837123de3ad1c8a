"""The journal: the movements of money, as the books list them."""

from collections.abc import Collection, Iterable
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

from loadtest.record.shelf import Packing, Shelf, Shelved
from server.core.ids import CreatorId, OrderId, PacketId, RequestId, ViewerId


class JournalClaim(NamedTuple):
    """One share given, as a claim entry of the journal lists it."""

    viewer_id: ViewerId
    index: int  # type: ignore[assignment]  # a field here, not the tuple's method
    amount_fen: int
    request_id: RequestId


class BookedPosting(NamedTuple):
    """An amount moved from one account to another."""

    debit: str
    credit: str
    amount_fen: int


class JournalRecord(NamedTuple):
    """
    One movement of money, from the account ``debit`` to the account ``credit``; a claim entry is one batch.

    The ``kind`` of the store's entry is ``movement`` in the books: the line's own kind is ``journal``. A recharge also
    moved ``fee_fen``, from the same debit to the channel's fees; ``balance_fen`` is the balance of the creator's funds
    after an entry that touched them. An expiry says how many ``shares`` expired, an arrival the ``reversals`` that it
    credits: ``key|packet_id|amount_fen``, joined by ``;``. A step of an order has ``postings`` and no debit and credit
    of its own; ``moves`` returns the postings of any entry.
    """

    creator_id: CreatorId
    entry_id: str
    movement: str
    transfer_id: str
    packet_id: PacketId
    debit: str
    credit: str
    amount_fen: int
    at_ms: int
    claims: tuple[JournalClaim, ...] | None
    edition: int | None
    fee_fen: int | None = None
    balance_fen: int | None = None
    withdrawal_id: str | None = None
    shares: int | None = None
    reversals: str | None = None
    order_id: OrderId | None = None
    postings: tuple[BookedPosting, ...] | None = None

    @property
    def moves(self) -> tuple[BookedPosting, ...]:
        """Return all movements of this entry: its postings, or its one movement and the fee."""
        if self.postings is not None:
            return self.postings
        moved = BookedPosting(self.debit, self.credit, self.amount_fen)
        if not self.fee_fen:
            return (moved,)
        return moved, BookedPosting(self.debit, f"fees:{self.debit.partition(':')[2]}", self.fee_fen)


_CLAIMS, _POSTINGS = (JournalRecord._fields.index(name) for name in ("claims", "postings"))


_CLAIM_OF, _POSTING_OF = (partial(tuple.__new__, make) for make in (JournalClaim, BookedPosting))  # in C throughout


def _packed(entry: JournalRecord) -> list[Any]:
    row: list[Any] = list(entry)
    for place in (_CLAIMS, _POSTINGS):
        row[place] = row[place] and list(map(tuple, row[place]))
    return row


def _unpacked(row: list[Any]) -> JournalRecord:
    for place, make in ((_CLAIMS, _CLAIM_OF), (_POSTINGS, _POSTING_OF)):
        if row[place] is not None:
            row[place] = tuple(map(make, row[place]))
    return JournalRecord._make(row)


_BATCHES_IN_MEMORY = 1_000  # an entry may list many claims


def _shelf(key: str) -> Shelf[Any, JournalRecord]:
    return Shelf(attrgetter(key), Packing(_packed, _unpacked), in_memory=_BATCHES_IN_MEMORY)


class Journal(Shelved[CreatorId, JournalRecord]):
    """
    All entries, creator by creator.

    ``steps`` are those of each packet, and ``besides_claims`` all that are no plain claims: of these there are as few
    as there are packets and orders.
    """

    def __init__(self, entries: Iterable[JournalRecord] = ()) -> None:
        self.steps: Shelf[PacketId, JournalRecord] = _shelf("packet_id")
        self.besides_claims: list[JournalRecord] = []
        super().__init__(_shelf("creator_id"), entries)

    def append(self, record: JournalRecord) -> None:
        """Add an entry."""
        super().append(record)
        if record.packet_id:
            self.steps.append(record)
        if record.movement != "claim" or record.order_id or record.withdrawal_id:
            self.besides_claims.append(record)

    def of(self, packet_ids: Collection[PacketId]) -> "Journal":
        """Return the entries of some packets."""
        return Journal(entry for packet_id in packet_ids for entry in self.steps.each(packet_id))
