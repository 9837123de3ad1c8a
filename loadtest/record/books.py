"""Books: the store's records at one cut of every creator: packets, claims, returned shares, and the journal."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple, TypeVar

from loadtest.record.book_orders import BookedOrder, BookedRulebook
from loadtest.record.given_file import Allowance
from loadtest.record.journal import Journal, JournalRecord
from loadtest.record.payouts import BookedInvoice, BookedWithdrawal
from loadtest.record.shape import BadField, Line, Shape, lines_of, read_all
from loadtest.record.shelf import Packing, Shelf
from server.core.ids import CreatorId, OrderId, PacketId, RequestId, RoomId, ViewerId
from server.core.packets.packet import Denomination, PacketState, Terms


class ClockRecord(NamedTuple):
    """The room clock; see ``server.core.roomtime.RoomClock``."""

    origin_ms: int
    started_ms: int
    speed: int


class WalletRecord(NamedTuple):
    """A creator's balances, in fen (DY-ACC-1); ``reversing_fen`` is being returned (DY-REV-8)."""

    available_fen: int
    recharged_fen: int
    returned_fen: int
    withdrawn_fen: int
    spent_fen: int
    reversing_fen: int | None = None


class CreatorRecord(NamedTuple):
    """One cut: the state of a creator's wallet and packets at room time ``cut_ms``."""

    creator_id: CreatorId
    cut_ms: int
    journal_last_id: str
    wallet: WalletRecord


class EditionRecord(NamedTuple):
    """
    The shares that one edition of a packet has added: ``share_count`` from ``first_index`` on.

    One that adds nothing has neither commitment nor seed: the packet then ends before ``first_index``.
    """

    edition: int
    first_index: int
    share_count: int
    total_fen: int
    commitment: str | None
    seed: str | None


class OpeningRecord(NamedTuple):
    """
    The balances of a creator's journal through an entry; entries up to it were retired and are not in the books.

    ``wallet`` holds the movements until then, ``accounts`` each account that was not empty, ``withdrawals`` the pending
    ones, in fen. ``retired`` names packets that are no longer in the books although some of their journal may be;
    the accounts of retired packets are merged into one of each kind, such as ``assets:retired``.
    """

    creator_id: CreatorId
    through_entry_id: str
    wallet: WalletRecord
    accounts: dict[str, int]
    withdrawals: dict[str, int]
    retired: tuple[PacketId, ...]


class PacketRecord(NamedTuple):
    """
    A packet at its creator's cut. Schedule and room are null until it was launched, the seed until it is over.

    Books from before use validity existed have neither it nor the counters of the given shares' outcomes.
    """

    packet_id: PacketId
    creator_id: CreatorId
    room_id: RoomId | None
    name: str
    platform: str
    state: PacketState
    allocator: str
    denomination: Denomination
    share_count: int
    total_fen: int
    min_share_fen: int
    max_share_fen: int
    warmup_at_ms: int | None
    grab_at_ms: int | None
    claim_end_at_ms: int | None
    edition: int
    commitment: str
    seed: str | None
    given: int
    given_fen: int
    remaining: int
    remaining_fen: int
    returned: int
    returned_fen: int
    surface: str | None = None
    editions: tuple[EditionRecord, ...] | None = None
    ended_at_ms: int | None = None
    use_start_at_ms: int | None = None
    use_end_at_ms: int | None = None
    use_for_ms: int | None = None
    product_ids: tuple[str, ...] | None = None
    reversal_delay_ms: int | None = None
    locked: int | None = None
    locked_fen: int | None = None
    redeemed: int | None = None
    redeemed_fen: int | None = None
    expired: int | None = None
    expired_fen: int | None = None
    final: int | None = None
    final_fen: int | None = None

    @property
    def issued(self) -> tuple[EditionRecord, ...]:
        """Return all editions; in books that do not list them, one made of the packet's own fields."""
        if self.editions is not None:
            return self.editions
        return (EditionRecord(1, 0, self.share_count, self.total_fen, self.commitment, self.seed),)

    @property
    def terms(self) -> Terms:
        """Return the packet's terms."""
        return Terms(self.denomination, self.share_count, self.total_fen, self.min_share_fen, self.max_share_fen)

    @property
    def over(self) -> bool:
        """Tell whether nothing can move in this packet any more."""
        return self.state in OVER


OVER = frozenset({PacketState.SETTLED, PacketState.VOIDED})


class ClaimRecord(NamedTuple):
    """One share that a viewer holds at the end."""

    packet_id: PacketId
    viewer_id: ViewerId
    index: int  # type: ignore[assignment]  # a field here, not the tuple's method
    amount_fen: int
    edition: int
    request_id: RequestId


class LeftRecord(NamedTuple):
    """The shares of a packet that were returned to its creator, in order, in fen."""

    packet_id: PacketId
    amounts: tuple[int, ...]


@dataclass(slots=True)
class Books:
    """
    All lines of one export. Only ``final`` books have ``claims``, ``left`` and what comes after them.

    Books that add have only what is new or has changed since the snapshot before them.

    Filled once by the reader and only read afterwards.
    """

    clock: ClockRecord
    final: bool = False
    adds: bool = False
    creators: dict[CreatorId, CreatorRecord] = field(default_factory=dict)
    openings: dict[CreatorId, OpeningRecord] = field(default_factory=dict)
    packets: dict[PacketId, PacketRecord] = field(default_factory=dict)
    journal: Journal = field(default_factory=Journal)
    claims: Shelf[PacketId, ClaimRecord] = field(
        default_factory=lambda: Shelf(attrgetter("packet_id"), Packing(tuple, partial(tuple.__new__, ClaimRecord)))
    )
    left: dict[PacketId, tuple[int, ...]] = field(default_factory=dict)
    orders: dict[OrderId, BookedOrder] = field(default_factory=dict)
    rulebooks: dict[str, BookedRulebook] = field(default_factory=dict)
    withdrawals: dict[str, BookedWithdrawal] = field(default_factory=dict)
    invoices: list[BookedInvoice] = field(default_factory=list)
    shares: int = 0  # of all editions read so far, which is what they take to draw again

    def after(self, before: "Books") -> "Books":
        """Return the whole of books that may only add to those *before*."""
        if not self.adds:
            return self
        packets = before.packets | self.packets
        return replace(
            self,
            adds=False,
            creators=before.creators | self.creators,
            openings=before.openings | self.openings,
            packets=packets,
            journal=Journal(chain(before.journal, self.journal)),
            shares=sum(sum(_share_counts(packet)) for packet in packets.values()),
        )

    def without(self, packet_ids: Collection[PacketId]) -> "Books":
        """Return the same books without these packets, except for their money in the journal."""
        if not packet_ids:
            return self
        return replace(
            self,
            packets={name: packet for name, packet in self.packets.items() if name not in packet_ids},
            claims=self.claims.without(packet_ids),
            left={name: left for name, left in self.left.items() if name not in packet_ids},
        )


def read_books(path: Path, allowance: Allowance | None = None) -> Books:
    """Read ``books.jsonl``. Raises BadRecord for a file that is cut off or has a malformed line."""
    return _read(lines_of(path, allowance), str(path))


def books_from(lines: Iterable[Line]) -> Books:
    """Read the lines of an export that are in memory. Raises BadRecord as ``read_books`` does."""
    return _read(enumerate(lines, start=1), "books")


def _read(lines: Iterable[tuple[int, Line]], name: str) -> Books:
    books: Books | None = None

    def take(line: Line) -> None:
        nonlocal books
        if books is not None:
            _take(books, line)
        elif line["kind"] == "clock":
            books = Books(_CLOCK.read(line))
        else:
            raise BadField("the clock must come first")

    read_all(lines, name, take)
    assert books is not None
    return books


PACKET_SHARES_MAX = 1_000_000  # of any platform
RUN_SHARES_MAX = 10_000_000  # of all packets of a run; each share is drawn again from its seed
EDITIONS_MAX = 1_000

K = TypeVar("K")
V = TypeVar("V")

ENTRY_ID = re.compile(r"\d+-\d+")

_CLOCK = Shape(ClockRecord)
_CREATOR = Shape(CreatorRecord)
_OPENING = Shape(OpeningRecord)
_PACKET = Shape(PacketRecord)
_JOURNAL = Shape(JournalRecord)
_CLAIM = Shape(ClaimRecord)
_LEFT = Shape(LeftRecord)
_ORDER = Shape(BookedOrder)
_RULEBOOK = Shape(BookedRulebook)
_WITHDRAWAL = Shape(BookedWithdrawal)
_INVOICE = Shape(BookedInvoice)


def _take(books: Books, line: Line) -> None:
    match line["kind"]:
        case "creator":
            creator = _CREATOR.read(line)
            _put(books.creators, creator.creator_id, creator)
        case "opening":
            opening = _OPENING.read(line)
            if not ENTRY_ID.fullmatch(opening.through_entry_id):
                raise BadField(f"through_entry_id must be an entry's id, but is {opening.through_entry_id!r}")
            _put(books.openings, opening.creator_id, opening)
        case "packet":
            packet = _PACKET.read(line)
            _check_shares(books, packet)
            _put(books.packets, packet.packet_id, packet)
        case "journal":
            books.journal.append(_JOURNAL.read(line))
        case "claim":
            books.claims.append(_CLAIM.read(line))
        case "left":
            left = _LEFT.read(line)
            _put(books.left, left.packet_id, left.amounts)
        case "order" | "rulebook" | "withdrawal" | "invoice":
            _take_final(books, line)
        case "end":
            if not isinstance(final := line.get("final"), bool):
                raise BadField("final must be true or false")
            books.final, books.adds = final, line.get("adds") is True
        case _:
            raise BadField("no such kind of line")


def _take_final(books: Books, line: Line) -> None:
    match line["kind"]:
        case "order":
            order = _ORDER.read(line)
            _put(books.orders, order.order_id, order)
        case "rulebook":
            rulebook = _RULEBOOK.read(line)
            _put(books.rulebooks, rulebook.platform, rulebook)
        case "withdrawal":
            withdrawal = _WITHDRAWAL.read(line)
            _put(books.withdrawals, withdrawal.withdrawal_id, withdrawal)
        case _:
            books.invoices.append(_INVOICE.read(line))


def _share_counts(packet: PacketRecord) -> list[int]:
    return [packet.share_count, *(edition.share_count for edition in packet.issued)]


def _check_shares(books: Books, packet: PacketRecord) -> None:
    """Raise BadField for a packet that no store has, or that would be drawn again for hours."""
    if packet.editions == ():
        raise BadField("editions must be a list of objects")
    counts = _share_counts(packet)
    if packet.share_count < 1 or min(counts) < 0 or max(counts) > PACKET_SHARES_MAX:
        raise BadField(f"share_count must be from 1 to {PACKET_SHARES_MAX:,}, but is {packet.share_count:,}")
    books.shares += sum(counts)
    if books.shares > RUN_SHARES_MAX or len(counts) > EDITIONS_MAX:
        raise BadField(f"a run may have {RUN_SHARES_MAX:,} shares, and a packet {EDITIONS_MAX:,} editions")


def _put(there: dict[K, V], name: K, value: V) -> None:
    if name in there:
        raise BadField(f"{name} is listed twice")
    there[name] = value
