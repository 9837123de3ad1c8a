"""The books: all money in the store, as one consistent cut per creator, for an independent audit."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from server.core.ids import CreatorId, PacketId
from server.core.packets.packet import Schedule
from server.core.rulebooks.rulebook import Rulebook
from server.store import keys
from server.store.book_payouts import payout_lines
from server.store.clock import StoreClock
from server.store.connection import Store, StoreUnavailable
from server.store.orders.book_line import order_lines, rulebook_line
from server.store.packet_record import Record, counts_from, editions_shown, packet_from, record_from, seed_of
from server.store.packets import claims_of
from server.store.wallet import movement_from

JOURNAL_PAGE = 1_000  # entries; a claim entry can list 500 shares
_LEFT_PAGE = 10_000
_OVERTAKEN = "data being exported were retired meanwhile: export again"
_ACCOUNT = b"account:"  # before an account's name, in an opening
_WITHDRAWAL = b"withdrawal:"  # before the id of a withdrawal that was pending then, in an opening
_BALANCES = ("available_fen", "recharged_fen", "returned_fen", "withdrawn_fen", "spent_fen", "reversing_fen")
_OF_CREATOR = (keys.clock_of, keys.wallet, keys.journal, keys.packets, keys.opening, keys.retired)
_OF_PACKET = ["packet_id", "creator_id", "room_id", "name", "platform", "allocator", "edition", "commitment"]
_OF_PACKET += ["ended_at_ms", "use_start_at_ms", "use_end_at_ms", "use_for_ms", "reversal_delay_ms"]
_NOT_EVERYWHERE = dict.fromkeys(
    ("claims", "edition", "fee_fen", "balance_fen", "withdrawal_id", "shares", "reversals", "order_id", "postings")
)
Line = dict[str, Any]


async def export(
    store: Store, clock: StoreClock, *, final: bool, rulebooks: Iterable[Rulebook] = ()
) -> AsyncIterator[Line]:
    """
    Yield the lines of ``books.jsonl`` in order (ARCHITECTURE.md names their fields).

    Each creator's wallet, packets and last journal entry are of one instant; the journal follows up to there. With
    *final*, once no money moves any more, claims, returned shares, orders, payouts and the *rulebooks* that priced
    orders are included. Shares and seeds of packets that may still be grabbed never are. Raises StoreUnavailable, also
    if retention overtakes a slow reader.
    """
    yield {"kind": "clock", **asdict(clock.record)}
    creators: Any = await store.redis.smembers(keys.CREATORS)
    for creator_id in sorted(CreatorId(name.decode()) for name in creators):
        async for line in _creator(store, creator_id, final=final):
            yield line
        if final:
            async for line in payout_lines(store, clock, creator_id):
                yield line
    for rulebook in rulebooks if final else ():
        yield rulebook_line(rulebook)
    yield {"kind": "end", "final": final}


async def _creator(store: Store, creator_id: CreatorId, *, final: bool) -> AsyncIterator[Line]:
    cut, page = await _cut_with_page(store, creator_id)
    yield {
        "kind": "creator",
        "creator_id": creator_id,
        "cut_ms": cut.cut_ms,
        "journal_last_id": cut.last_id,
        "wallet": dict(zip(_BALANCES, cut.balances, strict=True)),
    }
    if cut.opening:
        yield _opening(creator_id, cut.opening, cut.retired)
    for record, in_list in cut.packets:
        yield packet_line(record, in_list, cut.cut_ms)
    async for line in _journal(store, creator_id, cut.last_id, page):
        yield line
    if not final:
        return
    for record, _ in cut.packets:
        async for line in claim_lines(store, record):
            yield line
        if not await store.redis.exists(keys.packet(PacketId(record[b"packet_id"].decode()))):
            raise StoreUnavailable(_OVERTAKEN)
    async for line in order_lines(store, creator_id):
        yield line


@dataclass(frozen=True, slots=True)
class _Cut:
    """A creator at one instant."""

    cut_ms: int
    last_id: str
    balances: list[int]
    opening: Record
    retired: Sequence[bytes]
    packets: Sequence[tuple[Record, int]]


async def _cut_with_page(store: Store, creator_id: CreatorId) -> tuple[_Cut, list[Any]]:
    """Read a cut and the first page of its journal; retry if retention dropped a prefix meanwhile."""
    while True:
        cut = await _cut(store, creator_id)
        page, dropped_through = await _page(store, creator_id, "-", cut.last_id)
        if dropped_through == cut.opening.get(b"through_entry_id"):
            return cut, page


async def _cut(store: Store, creator_id: CreatorId) -> _Cut:
    """Read wallet, packets and the journal's ends at one instant; retry if packets were added or removed meanwhile."""
    while True:
        found: Any = await store.redis.zrange(keys.packets(creator_id), 0, -1)
        names = [key_of(creator_id) for key_of in _OF_CREATOR]
        for name in found:
            packet_id = PacketId(name.decode())
            names += [keys.packet(packet_id), keys.shares(packet_id), keys.added(packet_id)]
        cut_ms, *rest = await store.run("books", names, [])
        if cut_ms < 0:
            continue
        last_id, balances, opening, retired, *packets = rest
        if all(packets[::2]):
            records = [(record_from(flat), left) for flat, left in zip(packets[::2], packets[1::2], strict=True)]
            return _Cut(cut_ms, last_id.decode(), balances, record_from(opening), retired, records)


def _opening(creator_id: CreatorId, opening: Record, retired: Sequence[bytes]) -> Line:
    return {
        "kind": "opening",
        "creator_id": creator_id,
        "through_entry_id": opening[b"through_entry_id"].decode(),
        "wallet": {name: int(opening.get(name.encode(), 0)) for name in _BALANCES},
        "accounts": _amounts(opening, _ACCOUNT),
        "withdrawals": _amounts(opening, _WITHDRAWAL),
        "retired": sorted(name.decode() for name in retired),
    }


def _amounts(opening: Record, prefix: bytes) -> dict[str, int]:
    found = {name.removeprefix(prefix).decode(): int(fen) for name, fen in opening.items() if name.startswith(prefix)}
    return dict(sorted(found.items()))


def packet_line(record: Record, in_list: int, cut_ms: int) -> Line:
    """Return the ``packet`` line of a record at room time *cut_ms*."""
    packet, counts, seed = packet_from(record), counts_from(record, in_list), seed_of(record, cut_ms)
    schedule = packet.schedule
    return {
        "kind": "packet",
        **{name: getattr(packet, name) for name in _OF_PACKET},
        **asdict(packet.terms),
        **(asdict(schedule) if schedule else dict.fromkeys(Schedule.__match_args__)),
        "denomination": str(packet.terms.denomination),
        "state": str(packet.state),
        "surface": str(packet.surface) if schedule else None,
        "seed": seed.hex() if seed else None,
        "editions": editions_shown(record, revealed=seed is not None),
        "product_ids": None if packet.product_ids is None else list(packet.product_ids),
        **asdict(counts),
    }


async def _journal(store: Store, creator_id: CreatorId, last_id: str, page: list[Any]) -> AsyncIterator[Line]:
    while True:
        for entry_id, fields in page:
            yield journal_line(creator_id, entry_id, fields)
        if len(page) < JOURNAL_PAGE:
            return
        read: bytes = page[-1][0]
        page, dropped_through = await _page(store, creator_id, f"({read.decode()}", last_id)
        if dropped_through is not None and _place(dropped_through) > _place(read):
            raise StoreUnavailable(_OVERTAKEN)


async def _page(store: Store, creator_id: CreatorId, first: str, last_id: str) -> tuple[list[Any], bytes | None]:
    """Read a page of the journal, and the last entry of its prefix that was dropped by then."""
    async with store.redis.pipeline(transaction=True) as together:
        together.xrange(keys.journal(creator_id), min=first, max=last_id, count=JOURNAL_PAGE)
        together.hget(keys.opening(creator_id), "through_entry_id")
        page, dropped_through = await together.execute()
    return page, dropped_through


def _place(entry_id: bytes) -> tuple[int, ...]:
    return tuple(map(int, entry_id.split(b"-")))


def journal_line(creator_id: CreatorId, entry_id: bytes, fields: dict[bytes, bytes]) -> Line:
    """Return the ``journal`` line of an entry of the store's journal."""
    movement = movement_from(entry_id, fields)
    movement["movement"] = movement.pop("kind")  # the line's own kind is journal
    return {"kind": "journal", "creator_id": creator_id, **_NOT_EVERYWHERE, **movement}


async def claim_lines(store: Store, record: Record) -> AsyncIterator[Line]:
    """Yield a packet's ``claim`` lines by index, and its ``left`` line if it is over."""
    packet_id = PacketId(record[b"packet_id"].decode())
    claims = {viewer_id: share async for viewer_id, share in claims_of(store, packet_id)}
    for viewer_id, share in sorted(claims.items(), key=lambda claim: claim[1].index):
        yield {
            "kind": "claim",
            "packet_id": packet_id,
            "viewer_id": viewer_id,
            **share._asdict(),
        }
    if record[b"state"] in (b"settled", b"voided"):
        yield {"kind": "left", "packet_id": packet_id, "amounts": await _left(store, packet_id)}


async def _left(store: Store, packet_id: PacketId) -> list[int]:
    amounts: list[int] = []
    while True:
        page: Any = await store.redis.lrange(keys.returned(packet_id), len(amounts), len(amounts) + _LEFT_PAGE - 1)
        amounts.extend(map(int, page))
        if len(page) < _LEFT_PAGE:
            return amounts
