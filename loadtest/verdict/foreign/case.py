"""A foreign case: one declared packet with its receipts, sorted into the shares they name."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from loadtest.record.declared import Declarations, DeclaredRecord
from loadtest.record.foreign_books import ForeignClaim
from loadtest.record.history import GrabRecord, History
from loadtest.record.shape import BadRecord, Line, evidence_of
from server.core.ids import PacketId, RequestId, ViewerId
from server.core.packets.claim import ClaimStatus

ViewerTap = tuple[ViewerId, RequestId]


@dataclass(slots=True)
class HeldShare:
    """
    One share that one viewer was told of, with all the receipts that name it, the first answered one first.

    Claim id, index and amount are the first that any of them says; each may be None.
    """

    viewer: ViewerId
    receipts: list[GrabRecord]
    claim_id: str | None = None
    index: int | None = None
    amount_fen: int | None = None

    @property
    def named(self) -> bool:
        """Tell whether the service says which share it is."""
        return self.claim_id is not None or self.index is not None

    @property
    def first(self) -> GrabRecord:
        """Return the receipt that was answered first."""
        return self.receipts[0]

    @property
    def granted(self) -> GrabRecord | None:
        """Return the first receipt with ``granted``, or None if all are ``repeated``."""
        return next((grab for grab in self.receipts if grab.status == ClaimStatus.GRANTED), None)

    def line(self) -> Line:
        """Return the first receipt as evidence."""
        return evidence_of("grab", self.first)

    def __str__(self) -> str:
        names = [] if self.claim_id is None else [f"claim {self.claim_id}"]
        names += [] if self.index is None else [f"index {self.index}"]
        names += [] if self.amount_fen is None else [f"{self.amount_fen} fen"]
        return f"{self.viewer}'s share ({', '.join(names) or f'request {self.first.request_id}'})"


@dataclass(slots=True)
class ForeignCase:
    """
    One packet: the declaration, the shares viewers were told of, and the service's claims (None without its books).

    ``shares`` are in the order in which they were first told. ``unknown`` has the earliest sending of a viewer's taps
    whose outcome nobody learned, ``unknown_taps`` those taps; ``exhausted`` is the earliest refusal for lack of
    shares, ``refused`` the first refusal of each viewer, ``refused_taps`` the first for lack of shares of each tap.
    """

    packet: DeclaredRecord
    claims: list[ForeignClaim] | None
    shares: list[HeldShare] = field(default_factory=list)
    held: dict[ViewerId, list[HeldShare]] = field(default_factory=dict)
    unknown: dict[ViewerId, int] = field(default_factory=dict)
    unknown_taps: set[ViewerTap] = field(default_factory=set)
    exhausted: GrabRecord | None = None
    refused: dict[ViewerId, GrabRecord] = field(default_factory=dict)
    refused_taps: dict[ViewerTap, GrabRecord] = field(default_factory=dict)

    @property
    def packet_id(self) -> PacketId:
        """Return the packet's id."""
        return self.packet.packet_id

    @property
    def told_fen(self) -> int:
        """Return the sum of the amounts in receipts; a share without an amount counts 0."""
        return sum(share.amount_fen or 0 for share in self.shares)

    @property
    def possible(self) -> int:
        """Return how many more shares may have been granted by taps whose outcome is unknown."""
        if self.packet.one_per_viewer:
            return sum(1 for viewer in self.unknown if viewer not in self.held)
        return len(self.unknown_taps)

    @property
    def told_in_time(self) -> GrabRecord | None:
        """Return the earliest refusal for lack of shares before the window closed: later it may mean "closed"."""
        told, closes_ns = self.exhausted, self.packet.closes_ns
        return None if told is None or (closes_ns is not None and replied(told) >= closes_ns) else told

    def asked_at(self, share: HeldShare) -> int | None:
        """Return when the tap that won *share* can have been sent at the earliest; None if no known tap can have."""
        sent = [grab.t_sent for grab in share.receipts] if share.granted is not None else []
        sent += [self.unknown[share.viewer]] if share.viewer in self.unknown else []
        return min(sent, default=None)

    def line(self) -> Line:
        """Return the declaration as evidence."""
        return evidence_of("declared", self.packet)


def foreign_cases(declared: Declarations, history: History, claims: Sequence[ForeignClaim] | None) -> list[ForeignCase]:
    """
    Return a case for each declared packet. Claims of others are none of this run's.

    Raises BadRecord for a grab of a packet that was not declared.
    """
    booked: defaultdict[PacketId, list[ForeignClaim]] = defaultdict(list)
    for claim in claims or ():
        booked[claim.packet_id].append(claim)
    cases = {
        packet_id: ForeignCase(packet, None if claims is None else booked.get(packet_id, []))
        for packet_id, packet in declared.items()
    }
    told: dict[PacketId, defaultdict[ViewerId, list[GrabRecord]]] = {name: defaultdict(list) for name in cases}
    for grab in history.grabs:
        case = cases.get(grab.packet)
        if case is None:
            raise BadRecord(f"history: {grab.viewer} grabbed {grab.packet}, which run.json does not declare")
        if grab.type == "ok":
            told[grab.packet][grab.viewer].append(grab)
        else:
            _note(case, grab)
    for packet_id, by_viewer in told.items():
        case = cases[packet_id]
        case.held = {viewer: list(shares_of(grabs)) for viewer, grabs in by_viewer.items()}
        shares = (share for of_viewer in case.held.values() for share in of_viewer)
        case.shares = sorted(shares, key=lambda share: replied(share.first))
    return list(cases.values())


def _note(case: ForeignCase, grab: GrabRecord) -> None:
    """Note a grab that holds no share for certain."""
    tap = (grab.viewer, grab.request_id)
    if grab.type == "info":
        case.unknown[grab.viewer] = min(grab.t_sent, case.unknown.get(grab.viewer, grab.t_sent))
        case.unknown_taps.add(tap)
        return
    case.refused.setdefault(grab.viewer, grab)
    if grab.status == ClaimStatus.EXHAUSTED:
        case.refused_taps.setdefault(tap, grab)
        if case.exhausted is None or replied(grab) < replied(case.exhausted):
            case.exhausted = grab


def shares_of(grabs: Iterable[GrabRecord]) -> Iterator[HeldShare]:
    """
    Sort a viewer's receipts into the fewest shares that they can be about, and yield those.

    Receipts that say the same claim id, or without one the same index, are about one share. Where the service names
    no shares at all, each tap that was granted has one, and an answer ``repeated`` speaks of a share before it.
    """
    sorter = _Sorter()
    for grab in sorted(grabs, key=_order):
        sorter.take(grab)
    for share in sorter.shares:
        share.receipts.sort(key=replied)
    yield from sorter.shares


class _Sorter:
    """Takes a viewer's receipts in ``_order`` and finds the share of each; ``lacking`` those without such a name."""

    def __init__(self) -> None:
        self.shares: list[HeldShare] = []
        self._known: dict[tuple[str, object], HeldShare] = {}
        self._lacking: dict[str, deque[HeldShare]] = {"claim_id": deque(), "index": deque()}

    def take(self, grab: GrabRecord) -> None:
        share = self._about(grab)
        if share is None:
            share = HeldShare(grab.viewer, [])
            self.shares.append(share)
            for name, lacking in self._lacking.items():
                if getattr(grab, name) is None:
                    lacking.append(share)
        share.receipts.append(grab)
        share.claim_id = grab.claim_id if share.claim_id is None else share.claim_id
        share.index = grab.index if share.index is None else share.index
        share.amount_fen = grab.amount_fen if share.amount_fen is None else share.amount_fen
        for key in (("claim", grab.claim_id), ("index", grab.index), ("request", grab.request_id)):
            self._known.setdefault(key, share)

    def _about(self, grab: GrabRecord) -> HeldShare | None:
        """Return the share that a receipt speaks of, or None if it can be none of those known so far."""
        shares, known = self.shares, self._known
        if grab.claim_id is None and grab.index is None:
            of_tap = known.get(("request", grab.request_id))
            of_viewer = shares[0] if shares and (shares[0].named or grab.status != ClaimStatus.GRANTED) else None
            return of_tap or of_viewer
        if grab.claim_id is not None and (share := known.get(("claim", grab.claim_id))) is not None:
            return share
        by_index = None if grab.index is None else known.get(("index", grab.index))
        if by_index is not None and (grab.claim_id is None or by_index.claim_id is None):
            return by_index
        if grab.claim_id is not None and grab.index is not None:
            return None
        # Named by its index alone, it may be a share that is named by its claim id alone, and the other way round.
        lacking = self._lacking["index" if grab.claim_id is None else "claim_id"]
        return lacking.popleft() if lacking else None


def _order(grab: GrabRecord) -> tuple[int, bool, int]:
    """Put the receipts first that say most, and grants before repeats."""
    names = (grab.claim_id is not None) + (grab.index is not None)
    return -names, grab.status != ClaimStatus.GRANTED, replied(grab)


def replied(grab: GrabRecord) -> int:
    """Return when an answered grab was answered."""
    assert grab.t_reply is not None
    return grab.t_reply
