"""A case: all the evidence about one packet, from both sides, joined once for all the invariants."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from loadtest.record.book_orders import UsedPacket
from loadtest.record.books import Books, ClaimRecord, PacketRecord
from loadtest.record.history import FactRecord, GrabRecord, History
from loadtest.record.journal import JournalClaim, JournalRecord
from loadtest.record.shape import Line
from server.core.ids import PacketId, RequestId, ViewerId
from server.core.packets.claim import ClaimStatus

Tap = tuple[ViewerId, RequestId]

DEFAULT_ALLOCATOR = "default"
"""The allocator that serves; the others are for comparison, and may give up or forget whom they gave a share."""

LOSES = frozenset({ClaimStatus.TOO_EARLY, ClaimStatus.EXHAUSTED, ClaimStatus.TOO_LATE, ClaimStatus.VOIDED})
"""Refusals that only a viewer without a share may get: whoever has one is told of it again."""


_NEVER = 1 << 63  # later than any tap


class Given(NamedTuple):
    """One share given, as the journal has it: the claim and the batch it was written with."""

    claim: JournalClaim
    entry: JournalRecord

    def line(self) -> Line:
        """Return this claim as evidence: its own fields and those of its entry, without the rest of the batch."""
        return {
            "kind": "journal",
            "entry_id": self.entry.entry_id,
            "packet_id": self.entry.packet_id,
            "at_ms": self.entry.at_ms,
            "edition": self.entry.edition,
            "claim": self.claim._asdict(),
        }


@dataclass(slots=True)
class PacketReceipts:
    """
    The receipts of the audience about one packet.

    ``asked`` has the earliest sending of every tap that won a share by the books; ``learned`` the earliest reply in
    which a viewer saw its share; ``exhausted`` the earliest refusal for lack of shares in the last edition; ``lost``
    are all refusals that say that the viewer holds no share. ``grabs`` are all.
    """

    grabs: Sequence[GrabRecord] = ()
    shares: list[GrabRecord] = field(default_factory=list)
    asked: dict[Tap, int] = field(default_factory=dict)
    learned: dict[ViewerId, GrabRecord] = field(default_factory=dict)
    exhausted: GrabRecord | None = None
    lost: list[GrabRecord] = field(default_factory=list)


@dataclass(slots=True)
class PacketCase:
    """
    One packet in the books (None if they do not know it) and in the history.

    ``uses`` are its shares in orders, as those left them (final books). ``claims`` are the final claim lines, or the
    journal's claims in books that are not final, and ``owned`` the same by viewer; ``given`` are always the journal's.
    ``receipts`` is None if there is no history.
    """

    packet_id: PacketId
    packet: PacketRecord | None
    final: bool
    claims: list[ClaimRecord]
    owned: dict[ViewerId, ClaimRecord]
    given: list[Given]
    entries: list[JournalRecord]
    left: tuple[int, ...] | None
    facts: list[FactRecord]
    receipts: PacketReceipts | None
    uses: list[UsedPacket] = field(default_factory=list)

    @property
    def claimed_fen(self) -> int:
        """Return the sum of all claims, in fen."""
        return sum(claim.amount_fen for claim in self.claims)


def cases_of(books: Books, history: History | None) -> Iterator[PacketCase]:
    """
    Join books and history, one packet at a time; packets that only the history knows come last.

    A retired packet has no case: the rest of its journal counts only in A10.
    """
    retired = {packet_id for opening in books.openings.values() for packet_id in opening.retired}
    facts: defaultdict[PacketId, list[FactRecord]] = defaultdict(list)
    if history is not None:
        for fact in history.facts:
            facts[fact.packet].append(fact)
    uses: defaultdict[PacketId, list[UsedPacket]] = defaultdict(list)
    for order in books.orders.values():
        for use in order.packets:
            uses[use.packet_id].append(use)
    grabs: Mapping[PacketId, list[GrabRecord]] = {} if history is None else history.grabs.by
    known = dict.fromkeys([*books.packets, *books.journal.steps, *books.claims, *books.left, *grabs])
    for packet_id in known:
        if packet_id in retired and packet_id not in books.packets:
            continue
        case = _in_books(books, packet_id, books.journal.steps.get(packet_id, []))
        case.facts = facts.get(packet_id, [])
        case.uses = uses.get(packet_id, [])
        if history is not None:
            case.receipts = _heard(case, grabs.get(packet_id, []))
        yield case


def _in_books(books: Books, packet_id: PacketId, entries: list[JournalRecord]) -> PacketCase:
    given = [Given(claim, entry) for entry in entries for claim in entry.claims or ()]
    packet = books.packets.get(packet_id)
    if books.final:
        claims = books.claims.get(packet_id, [])
    else:
        claims = [
            ClaimRecord(packet_id, claim.viewer_id, claim.index, claim.amount_fen, entry.edition or 0, claim.request_id)
            for claim, entry in given
        ]
    owned = {claim.viewer_id: claim for claim in claims}
    left = books.left.get(packet_id)
    if left is None and books.final and packet is not None and packet.over:
        left = ()
    return PacketCase(packet_id, packet, books.final, claims, owned, given, entries, left, [], None)


def _heard(case: PacketCase, grabs: list[GrabRecord]) -> PacketReceipts:
    """Go through the packet's grabs once. An audit spends most of its time in this loop."""
    receipts = PacketReceipts(grabs)
    sent = dict.fromkeys([(claim.viewer_id, claim.request_id) for claim in case.claims], _NEVER)
    edition = None if case.packet is None else case.packet.edition
    exhausted, exhausted_at = None, 0
    shares, lost, owned = receipts.shares, receipts.lost, case.owned
    for grab in grabs:
        if grab.type == "ok":
            shares.append(grab)
        elif grab.status in LOSES:
            lost.append(grab)
            if (
                grab.status == ClaimStatus.EXHAUSTED
                and grab.t_reply is not None
                and grab.edition == edition
                and (exhausted is None or grab.t_reply < exhausted_at)
            ):
                exhausted, exhausted_at = grab, grab.t_reply
        if grab.viewer in owned:
            tap = (grab.viewer, grab.request_id)
            if grab.t_sent < sent.get(tap, -_NEVER):
                sent[tap] = grab.t_sent
    receipts.asked = {tap: at for tap, at in sent.items() if at != _NEVER} if _NEVER in sent.values() else sent
    receipts.exhausted = exhausted
    learned = receipts.learned
    for grab in shares:
        first = learned.get(grab.viewer)
        if first is None or _replied(grab) < _replied(first):
            learned[grab.viewer] = grab
    return receipts


def _replied(grab: GrabRecord) -> int:
    assert grab.t_reply is not None
    return grab.t_reply
