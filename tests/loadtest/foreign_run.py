"""A small run against somebody else's service, correct unless it is given a flaw, as the audience writes it down."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import orjson

from loadtest.record.declared import Declarations, declarations_from
from loadtest.record.foreign_books import ForeignClaim
from loadtest.record.history import History
from loadtest.verdict.audit import Violation
from loadtest.verdict.foreign import ForeignCase, audit_foreign, foreign_cases
from server.core.ids import PacketId, RequestId, ViewerId
from tests.loadtest.in_memory import history_from

Line = dict[str, Any]
MS = 1_000_000
OPENS_MS, CLOSES_MS = 1_000, 2_000
ALL_NAMES = ("claim_id", "index", "amount_fen")


@dataclass
class ForeignRun:
    """The lines of a run, to be changed at will before they are judged; ``claims`` is None without books."""

    declared: list[Line] = field(default_factory=list)
    history: list[Line] = field(default_factory=list)
    claims: list[ForeignClaim] | None = None

    def read(self) -> tuple[Declarations, History]:
        lines = [*self.history, {"kind": "end", "grabs": len(self.of()), "conns": len(self.of("conn"))}]
        return declarations_from(self.declared), history_from(lines, foreign=True)

    def cases(self) -> list[ForeignCase]:
        declared, history = self.read()
        return foreign_cases(declared, history, self.claims)

    def audit(self) -> list[Violation]:
        violations = audit_foreign(self.cases(), self.read()[1])
        orjson.dumps([violation.evidence for violation in violations])
        return violations

    def broken(self) -> set[str]:
        """Return which invariants do not hold."""
        return {violation.invariant for violation in self.audit()}

    def of(self, kind: str = "grab", **fields: Any) -> list[Line]:
        """Return the lines of a kind that have these values."""
        return [
            line
            for line in self.history
            if line["kind"] == kind and all(line[name] == value for name, value in fields.items())
        ]


def declaration(packet_id: str = "p1", share_count: int = 3, **fields: Any) -> Line:
    """Return the declaration of a packet of which all is known but the amounts."""
    line: Line = {
        "packet_id": packet_id, "share_count": share_count, "total_fen": None, "opens_ns": OPENS_MS * MS,
        "closes_ns": CLOSES_MS * MS, "one_per_viewer": True, "min_share_fen": None, "max_share_fen": None,
    }  # fmt: skip
    return line | fields


def a_grab(
    viewer: str, status: str | None, sent_ms: float = 1_100, reply_ms: float | None = None, **fields: Any
) -> Line:
    """Return a tap and its answer; a status of None is one that nobody learned."""
    kind = {"granted": "ok", "repeated": "ok", None: "info"}.get(status, "fail")
    reply = None if status is None else round((sent_ms + 5 if reply_ms is None else reply_ms) * MS)
    line: Line = {
        "kind": "grab", "i": 0, "conn": f"{viewer}.0", "viewer": viewer, "packet": "p1", "request_id": f"r-{viewer}",
        "behaviour": "eager", "t_intended": round(sent_ms * MS), "t_sent": round(sent_ms * MS), "t_reply": reply,
        "type": kind, "status": status,
    }  # fmt: skip
    return line | fields


def a_run_of(*grabs: Line, claims: Sequence[ForeignClaim] | None = None, **declared: Any) -> ForeignRun:
    """Return a run of one packet with just these grabs."""
    return ForeignRun([declaration(**declared)], list(grabs), None if claims is None else list(claims))


def a_claim(viewer: str, **fields: Any) -> ForeignClaim:
    """Return a claim of the packet in the service's books."""
    known = {"amount_fen": None, "index": None, "claim_id": None, "request_id": None} | fields
    return ForeignClaim(PacketId("p1"), ViewerId(viewer), **known)


MANNERS = ("grants again", "repeats name nothing", "counts from 1")
"""Ways of a correct service: to say granted to a repeat of a share it names, to name it once only, to count from 1."""


@dataclass
class Service:
    """Somebody else's grab service: it answers one tap after another, by a lock that it has or that a *flaw* lacks."""

    amounts: list[int]
    names: Sequence[str]
    flaw: str = ""
    one_per_viewer: bool = True
    manners: frozenset[str] = frozenset()
    claims: list[Line] = field(default_factory=list)

    def answer(self, viewer: str, request_id: str, at_ms: float) -> Line:
        """Return what the service says to a tap that reaches it at that time."""
        held = [claim for claim in self.claims if claim["viewer_id"] == viewer]
        same = [claim for claim in held if claim["request_id"] == request_id]
        if same and self.flaw != "no repeat check":
            return self._told("granted", same[0])
        if held and self.one_per_viewer and self.flaw != "no repeat check":
            again = "grants again" in self.manners and {"claim_id", "index"} & set(self.names)
            return self._told("granted" if again else "repeated", held[0])
        if at_ms < OPENS_MS - (50 if self.flaw == "opens early" else 0):
            return {"status": "too_early"}
        if at_ms >= CLOSES_MS + (50 if self.flaw == "closes late" else 0):
            return {"status": "too_late"}
        count = len(self.claims)
        if count >= len(self.amounts) + {"one too many": 1, "sold out too soon": -1}.get(self.flaw, 0):
            return {"status": "exhausted"}
        index = max(0, count - 1) if self.flaw == "same index twice" and count == 2 else count
        first = int("counts from 1" in self.manners)
        amount_fen = self.amounts[min(index, len(self.amounts) - 1)]
        claim = {
            "viewer_id": viewer, "request_id": request_id, "index": index + first, "claim_id": f"c-{count}",
            "amount_fen": amount_fen,
        }  # fmt: skip
        self.claims.append(claim)
        return self._told("granted", claim)

    def _told(self, status: str, claim: Line) -> Line:
        if status == "repeated" and "repeats name nothing" in self.manners:
            return {"status": status}
        return {"status": status, **{name: claim[name] for name in self.names}}


def a_foreign_run(
    rng: Random,
    *,
    names: Sequence[str] = ALL_NAMES,
    flaw: str = "",
    viewers: int = 12,
    share_count: int = 6,
    one_per_viewer: bool = True,
    manners: Iterable[str] = (),
    books: bool = False,
    lost: float = 0.2,
) -> ForeignRun:
    """Let every viewer tap some times around the window; some taps and some answers are lost, and sent again."""
    service = Service(
        [rng.randrange(50, 150) for _ in range(share_count)], names, flaw, one_per_viewer, frozenset(manners)
    )
    taps: list[tuple[float, float, str, str]] = []
    for viewer in (f"v{number}" for number in range(viewers)):
        for attempt in range(rng.choice((1, 1, 2, 3))):
            sent = rng.choice((rng.uniform(OPENS_MS - 60, OPENS_MS + 200), rng.uniform(CLOSES_MS - 30, CLOSES_MS + 90)))
            request_id = f"r-{viewer}-{attempt}"
            taps.append((sent + rng.expovariate(0.2), sent, viewer, request_id))
            while rng.random() < lost:
                sent += rng.uniform(0, 40)
                taps.append((sent + rng.expovariate(0.2), sent, viewer, request_id))
    grabs: list[Line] = []
    for reached_ms, sent_ms, viewer, request_id in sorted(taps):
        if rng.random() < lost / 2:
            grabs.append(a_grab(viewer, None, sent_ms, request_id=request_id))
            continue
        told = service.answer(viewer, request_id, reached_ms)
        if rng.random() < lost / 2:
            told = {"status": None}
        reply_ms = reached_ms + rng.expovariate(0.2)
        grabs.append(a_grab(viewer, sent_ms=sent_ms, reply_ms=reply_ms, request_id=request_id, **told))
    rng.shuffle(grabs)
    total = sum(service.amounts)
    declared = declaration(
        share_count=share_count, total_fen=total, one_per_viewer=one_per_viewer, min_share_fen=50, max_share_fen=149
    )
    claims = [
        a_claim(claim["viewer_id"], request_id=RequestId(claim["request_id"]), **{name: claim[name] for name in names})
        for claim in service.claims
    ]
    return ForeignRun([declared], grabs, claims if books else None)
