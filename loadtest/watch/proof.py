"""Proofs: what shows that an invariant is broken: two receipts of one share, or a receipt and what the books say."""

from collections import defaultdict
from dataclasses import dataclass

from loadtest.record.books import ClaimRecord, ClockRecord
from loadtest.record.shape import Line, evidence_of
from loadtest.verdict.audit import INVARIANTS, Violation
from loadtest.verdict.audit.case import PacketCase
from loadtest.verdict.measures import superfluous

WITNESSES_MAX = 4
REAL_TIME = ClockRecord(0, 0, 1)
"""A clock that shows real time."""

_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Witness:
    """One receipt or one claim in the books. ``at_ms`` is real time since 1970; None where only the index is known."""

    kind: str
    viewer_id: str
    packet_id: str
    status: str
    index: int | None
    amount_fen: int | None
    request_id: str
    claim_id: str | None
    edition: int | None
    at_ms: int | None


@dataclass(frozen=True, slots=True)
class Proof:
    """A broken invariant with its counterexample; ``share_count`` and ``claims`` of its packet, if it has one."""

    invariant: str
    name: str
    detail: str
    packet_id: str
    packet_name: str
    allocator: str
    share_count: int | None
    claims: int | None
    witnesses: tuple[Witness, ...]


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """Turns the instants of a history (monotonic ns) and of the books (room ms) into real time since 1970, in ms."""

    ahead_ms: int
    clock: ClockRecord = REAL_TIME

    def of_ns(self, instant_ns: int) -> int:
        """Return an instant of the history's clock as real time."""
        return instant_ns // _NS_PER_MS + self.ahead_ms

    def room_ms(self, real_ms: int) -> int:
        """Return real time as room time."""
        return self.clock.origin_ms + (real_ms - self.clock.started_ms) * self.clock.speed

    def of_room(self, room_ms: int) -> int:
        """Return room time as real time."""
        return self.clock.started_ms + (room_ms - self.clock.origin_ms) // max(self.clock.speed, 1)


def proof_of(violation: Violation, case: PacketCase | None, times: TimeOfDay) -> Proof:
    """Return the proof of a violation: for a share given twice, what its two owners were told."""
    lines = list(violation.evidence)
    if violation.invariant == "A1" and case is not None:
        lines = _owners_of_one_share(case) or lines
    shown = (_witness(line, times) for line in lines)
    packet = None if case is None else case.packet
    return Proof(
        invariant=violation.invariant,
        name=INVARIANTS[violation.invariant],
        detail=violation.detail,
        packet_id=violation.packet_id,
        packet_name="" if packet is None else packet.name,
        allocator="" if packet is None else packet.allocator,
        share_count=None if packet is None else packet.share_count,
        claims=None if case is None else len(case.claims),
        witnesses=tuple(witness for witness in shown if witness is not None)[:WITNESSES_MAX],
    )


def _owners_of_one_share(case: PacketCase) -> list[Line]:
    """Return the receipts of two viewers for one share, or else their claims in the journal; nothing without any."""
    if case.packet is None:
        return []
    beyond = {claim.index for claim in superfluous(case.packet, case.claims)}
    owners: defaultdict[int, list[ClaimRecord]] = defaultdict(list)
    for claim in case.claims:
        if claim.index in beyond:
            owners[claim.index].append(claim)
    pairs = [each[:2] for each in owners.values() if len(each) > 1]
    told = {} if case.receipts is None else case.receipts.learned
    for pair in pairs:
        receipts = [told[claim.viewer_id] for claim in pair if claim.viewer_id in told]
        if [grab.index for grab in receipts] == [claim.index for claim in pair]:
            return [evidence_of("grab", grab) for grab in receipts]
    given = {(each.claim.viewer_id, each.claim.index): each.line() for each in case.given}
    return [given.get((one.viewer_id, one.index)) or evidence_of("claim", one) for pair in pairs[:1] for one in pair]


def _witness(line: Line, times: TimeOfDay) -> Witness | None:
    """Return a line of evidence as a witness; None for packets, wallets and the like."""
    match line["kind"]:
        case "grab":
            names = ("status", "index", "amount_fen", "request_id", "claim_id", "edition")
            at_ms = None if line["t_reply"] is None else times.of_ns(line["t_reply"])
            told = {name: line[name] for name in names} | {"status": line["status"] or ""}
            return Witness(kind="receipt", viewer_id=line["viewer"], packet_id=line["packet"], at_ms=at_ms, **told)
        case "claim":
            return _claim(line, line, None)
        case "journal" if isinstance(line.get("claim"), dict):
            return _claim(line["claim"], line, times.of_room(line["at_ms"]))
    return None


def _claim(claim: Line, line: Line, at_ms: int | None) -> Witness:
    index = claim.get("index")
    return Witness(
        kind="claim",
        viewer_id=claim["viewer_id"],
        packet_id=line["packet_id"],
        status="",
        index=index,
        amount_fen=claim["amount_fen"],
        request_id=claim.get("request_id", ""),
        claim_id=claim.get("claim_id"),
        edition=line.get("edition"),
        at_ms=at_ms,
    )
