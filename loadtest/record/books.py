"""Books: the store's records at one cut of every creator: packets, claims, returned shares, and the journal."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple, TypeVar

from loadtest.record.book_orders import BookedOrder, order_from
from loadtest.record.shape import BadField, BadRecord, Line, R, Shape, lines_of, numbered
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
    All lines of one export. Only ``final`` books have ``claims``, ``left`` and ``orders``; journal entries are in file
    order.

    Filled once by the reader and only read afterwards.
    """

    clock: ClockRecord
    final: bool = False
    creators: dict[CreatorId, CreatorRecord] = field(default_factory=dict)
    openings: dict[CreatorId, OpeningRecord] = field(default_factory=dict)
    packets: dict[PacketId, PacketRecord] = field(default_factory=dict)
    journal: list[JournalRecord] = field(default_factory=list)
    claims: dict[PacketId, list[ClaimRecord]] = field(default_factory=dict)
    left: dict[PacketId, tuple[int, ...]] = field(default_factory=dict)
    orders: dict[OrderId, BookedOrder] = field(default_factory=dict)

    def without(self, packet_ids: Collection[PacketId]) -> "Books":
        """Return the same books without these packets, except for their money in the journal."""
        if not packet_ids:
            return self
        return replace(
            self,
            packets={name: packet for name, packet in self.packets.items() if name not in packet_ids},
            claims={name: claims for name, claims in self.claims.items() if name not in packet_ids},
            left={name: left for name, left in self.left.items() if name not in packet_ids},
        )


def read_books(path: Path) -> Books:
    """Read ``books.jsonl``. Raises BadRecord for a file that is cut off or has a malformed line."""
    return _read(lines_of(path), str(path))


def books_from(lines: Iterable[Line]) -> Books:
    """Read the lines of an export that are in memory. Raises BadRecord as ``read_books`` does."""
    return _read(numbered(lines, "books"), "books")


def _read(lines: Iterator[tuple[str, Line]], name: str) -> Books:
    books: Books | None = None
    ended = False
    for where, line in lines:
        if ended:
            raise BadRecord(f"{where}: comes after the end")
        try:
            if line["kind"] == "clock" and books is None:
                books = Books(_CLOCK.read(line))
            elif books is None:
                raise BadField("the clock must come first")
            elif line["kind"] == "end":
                books.final, ended = _final(line), True
            else:
                _take(books, line)
        except BadField as error:
            raise BadRecord(f"{where}: {line['kind']}: {error}") from None
    if books is None or not ended:
        raise BadRecord(f"{name}: has no end line: it is cut off")
    return books


K = TypeVar("K")
V = TypeVar("V")

ENTRY_ID = re.compile(r"\d+-\d+")

_CLOCK = Shape(ClockRecord)
_WALLET = Shape(WalletRecord)
_CREATOR = Shape(CreatorRecord)
_OPENING = Shape(OpeningRecord)
_PACKET = Shape(PacketRecord)
_EDITION = Shape(EditionRecord)
_JOURNAL = Shape(JournalRecord)
_JOURNAL_CLAIM = Shape(JournalClaim)
_POSTING = Shape(BookedPosting)
_CLAIM = Shape(ClaimRecord)
_LEFT = Shape(LeftRecord)


def _take(books: Books, line: Line) -> None:
    match line["kind"]:
        case "creator":
            creator = _creator(line)
            _put(books.creators, creator.creator_id, creator)
        case "opening":
            opening = _opening(line)
            _put(books.openings, opening.creator_id, opening)
        case "packet":
            packet = _packet(line)
            _put(books.packets, packet.packet_id, packet)
        case "journal":
            books.journal.append(_journal(line))
        case "claim":
            claim = _CLAIM.read(line)
            books.claims.setdefault(claim.packet_id, []).append(claim)
        case "left":
            left = _left(line)
            _put(books.left, left.packet_id, left.amounts)
        case "order":
            order = order_from(line)
            _put(books.orders, order.order_id, order)
        case _:
            raise BadField("no such kind of line")


def _put(there: dict[K, V], name: K, value: V) -> None:
    if name in there:
        raise BadField(f"{name} is listed twice")
    there[name] = value


def _final(line: Line) -> bool:
    if not isinstance(final := line.get("final"), bool):
        raise BadField("final must be true or false")
    return final


def _creator(line: Line) -> CreatorRecord:
    return _CREATOR.read({**line, "wallet": _wallet(line)})


def _opening(line: Line) -> OpeningRecord:
    for name in ("accounts", "withdrawals"):
        amounts = line.get(name)
        if not isinstance(amounts, dict) or not all(type(fen) is int for fen in amounts.values()):
            raise BadField(f"{name} must be an object of whole numbers")
    if not isinstance(through := line.get("through_entry_id"), str) or not ENTRY_ID.fullmatch(through):
        raise BadField(f"through_entry_id must be an entry's id, but is {through!r}")
    retired = line.get("retired")
    if not isinstance(retired, list) or not all(type(packet_id) is str for packet_id in retired):
        raise BadField("retired must be a list of packet ids")
    return _OPENING.read({**line, "wallet": _wallet(line), "retired": tuple(retired)})


def _wallet(line: Line) -> WalletRecord:
    if not isinstance(wallet := line.get("wallet"), dict):
        raise BadField("wallet must be an object")
    return _WALLET.read(wallet)


def _packet(line: Line) -> PacketRecord:
    product_ids, editions = line.get("product_ids"), line.get("editions")
    if isinstance(product_ids, list) and all(isinstance(each, str) for each in product_ids):
        line = {**line, "product_ids": tuple(product_ids)}
    if editions is None:
        return _PACKET.read(line)
    if not isinstance(editions, list) or not editions or not all(isinstance(each, dict) for each in editions):
        raise BadField("editions must be a list of objects")
    return _PACKET.read({**line, "editions": tuple(map(_EDITION.read, editions))})


def _journal(line: Line) -> JournalRecord:
    claims, postings = line.get("claims"), line.get("postings")
    if claims is None and postings is None:
        return _JOURNAL.read(line)
    return _JOURNAL.read(
        {**line, "claims": _rows("claims", claims, _JOURNAL_CLAIM), "postings": _rows("postings", postings, _POSTING)}
    )


def _rows(name: str, given: object, shape: Shape[R]) -> tuple[R, ...] | None:
    """Return the records that a field holds as lists of their values, or None if it is null."""
    if given is None:
        return None
    if not isinstance(given, list):
        raise BadField(f"{name} must be a list")
    return tuple(shape.read_row(name, each) for each in given)


def _left(line: Line) -> LeftRecord:
    amounts = line.get("amounts")
    if not isinstance(amounts, list) or not all(type(amount) is int for amount in amounts):
        raise BadField("amounts must be a list of whole numbers")
    return _LEFT.read({**line, "amounts": tuple(amounts)})
