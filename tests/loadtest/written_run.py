"""A small run as the store and the audience write it down, by a server that is correct unless it is given a flaw."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

import orjson

from loadtest.record.books import Books, books_from
from loadtest.record.history import History
from loadtest.verdict.audit import Violation, audit
from server.core.packets.packet import Denomination, Terms
from server.core.packets.split import commitment, split
from tests.loadtest.in_memory import history_from

Line = dict[str, Any]
NS_PER_MS = 1_000_000
T0_NS = 5_000_000_000_000
TURN_MS = 5
"""The server decides all that has come in once in so many milliseconds: one batch, one journal entry."""

WINDOW_MS, PERIOD_MS, WARMUP_MS = 1_000, 5_000, 1_000
CREATOR, ROOM, EPOCH = "c1", "r1", "e1"


@dataclass
class WrittenRun:
    """The lines of both sides, to be changed at will before they are judged."""

    books: list[Line] = field(default_factory=list)
    history: list[Line] = field(default_factory=list)

    def read(self) -> tuple[Books, History]:
        return books_from(self.books), history_from(self.history)

    def audit(self) -> list[Violation]:
        violations = audit(*self.read())
        orjson.dumps([violation.evidence for violation in violations])  # evidence must be able to go into a result
        return violations

    def broken(self) -> set[str]:
        """Return which invariants do not hold."""
        return {violation.invariant for violation in self.audit()}

    def of(self, kind: str, **fields: Any) -> list[Line]:
        """Return the lines of a kind, of either side, that have these values."""
        lines = [line for line in self.books + self.history if line["kind"] == kind]
        return [line for line in lines if all(line[name] == value for name, value in fields.items())]

    def drop(self, line: Line) -> None:
        """Take one line away, wherever it stands, and keep the file's own count right."""
        self.books = [one for one in self.books if one is not line]
        self.history = [one for one in self.history if one is not line]
        self.history[-1]["grabs"] = len(self.of("grab"))
        self.history[-1]["conns"] = len(self.of("conn"))


@dataclass(frozen=True)
class Tap:
    """A tap on its way to the server, in milliseconds since the beginning."""

    viewer: str
    request_id: str
    sent_ms: int
    lost: bool = False


class Server:
    """Decides the taps for one packet as the store's script does, or with a *flaw*."""

    def __init__(self, packet_id: str, shares: list[int], opens_ms: int, flaw: str) -> None:
        self.packet_id, self.shares, self.flaw = packet_id, shares, flaw
        self.opens_ms, self.ends_ms = opens_ms, opens_ms + WINDOW_MS
        self.given = self.given_fen = 0
        self.claims: dict[str, Line] = {}
        self.journal: list[Line] = []
        self.sold_out_ms: int | None = None

    def turn(self, taps: list[Tap], at_ms: int) -> list[tuple[str, Line | None]]:
        """Answer one batch: for each tap a status and, if it holds one, the share."""
        batch, owners_before = list[Line](), dict(self.claims)
        answers = [self._answer(tap, at_ms, batch, owners_before) for tap in taps]
        if batch:
            sum_fen = sum(claim["amount_fen"] for claim in batch)
            self.given_fen += sum_fen
            given = [[claim["viewer_id"], claim["index"], claim["amount_fen"], claim["request_id"]] for claim in batch]
            self.journal.append(_movement("claim", self.packet_id, sum_fen, at_ms, claims=given, edition=1))
        if self.given >= len(self.shares) and self.sold_out_ms is None:
            self.sold_out_ms = at_ms
        return answers

    def _answer(
        self, tap: Tap, at_ms: int, batch: list[Line], owners_before: dict[str, Line]
    ) -> tuple[str, Line | None]:
        owners = {"no repeat check": {}, "no repeat check in a batch": owners_before}.get(self.flaw, self.claims)
        held = owners.get(tap.viewer)
        if held is not None:
            return ("granted" if held["request_id"] == tap.request_id else "repeated"), held
        if at_ms < self.opens_ms - (TURN_MS if self.flaw == "opens early" else 0):
            return "too_early", None
        if at_ms >= self.ends_ms + (1 if self.flaw == "closes late" else 0):
            return "too_late", None
        if self.given >= len(self.shares) + self._slack():
            return "exhausted", None
        if self.flaw == "reply before write" and self.given == 1:
            self.flaw = ""
            return "granted", self._claim(tap, self.given, self.shares[self.given])
        index = self.given
        if self.flaw == "check then act" and batch:
            index = batch[-1]["index"]
        else:
            self.given += 1
        amount_fen = self.shares[index] if index < len(self.shares) else 1
        if self.flaw == "rounding leak" and index == 0:
            amount_fen -= 1
        claim = self._claim(tap, index, amount_fen)
        batch.append(claim)
        self.claims[tap.viewer] = claim
        return "granted", claim

    def _slack(self) -> int:
        return {"one too many": 1, "sold out too soon": -1}.get(self.flaw, 0)

    def _claim(self, tap: Tap, index: int, amount_fen: int) -> Line:
        return {
            "kind": "claim", "packet_id": self.packet_id, "viewer_id": tap.viewer, "index": index,
            "amount_fen": amount_fen, "edition": 1, "request_id": tap.request_id,
        }  # fmt: skip


def a_run(
    seed: int = 1, *, flaw: str = "", packets: int = 2, share_count: int = 6, viewers: int = 12, void_last: bool = False
) -> WrittenRun:
    """Write down a run in which everybody taps for every packet; equal arguments give equal lines."""
    rng = Random(seed)
    run = WrittenRun()
    facts: list[tuple[int, str, str]] = []
    journal = [_movement("recharge", "", 10_000_000, 0, transfer_id="pay-1")]
    packet_lines: list[Line] = []
    claim_lines: list[Line] = []
    grabs: list[Line] = []
    told: list[Line] = []
    results: dict[str, Line] = {}
    for number in range(packets):
        packet_id = f"{CREATOR}.p{number}"
        terms = Terms(Denomination.RANDOM, share_count, share_count * 100 + rng.randrange(50), 5, 400)
        secret = rng.randbytes(32)
        shares = split(terms, secret)
        opens_ms = number * PERIOD_MS + 2 * WARMUP_MS
        voided = void_last and number == packets - 1
        server = Server(packet_id, shares, opens_ms, flaw)
        journal.append(_movement("fund", packet_id, terms.total_fen, opens_ms - 2 * WARMUP_MS))
        facts.append((opens_ms - WARMUP_MS, "warmup", packet_id))
        if voided:
            over_ms = opens_ms - WARMUP_MS // 2
            facts.append((over_ms, "voided", packet_id))
        else:
            over_ms = opens_ms + WINDOW_MS + 10
            grabs += _crowd(rng, server, [f"v{name}" for name in range(viewers)])
            facts.append((opens_ms, "open", packet_id))
            if server.sold_out_ms is not None:
                facts.append((server.sold_out_ms, "sold_out", packet_id))
            facts += [(opens_ms + WINDOW_MS, "closed", packet_id), (over_ms, "result", packet_id)]
            told += _told(server, len(shares), viewers)
            results[packet_id] = _result(server)
        rest = shares[server.given :]
        journal += server.journal
        rest_fen = max(0, terms.total_fen - server.given_fen)
        journal.append(_movement("void" if voided else "sweep", packet_id, rest_fen, over_ms))
        packet_lines.append(_packet(server, terms, secret, rest, rest_fen, voided=voided))
        claim_lines += sorted(server.claims.values(), key=lambda claim: claim["index"])
        claim_lines.append({"kind": "left", "packet_id": packet_id, "amounts": rest})
    run.books = _books(journal, packet_lines, claim_lines)
    run.history = [*told, *_history(rng, grabs, facts, viewers)]
    for packet_id, result in results.items():
        run.of("fact", type="result", packet=packet_id)[0]["result"] = result
    return run


def _told(server: Server, share_count: int, viewers: int) -> list[Line]:
    """Write down what the room was told of an opened packet without a number: its popup, and two counts."""
    lines = [heard("popup", server.packet_id, server.opens_ms + 1, viewers)]
    for at_ms in (server.opens_ms + 60, server.opens_ms + 600):
        given = sum(len(entry["claims"]) for entry in server.journal if entry["at_ms"] <= at_ms)
        if given < share_count:
            lines.append(heard("progress", server.packet_id, at_ms, viewers) | {"remaining": share_count - given})
    return lines


def heard(kind: str, packet_id: str | None, at_ms: int, viewers: int) -> Line:
    """Return the line of a message without a number, which came *at_ms* after the beginning."""
    t_first = T0_NS + at_ms * NS_PER_MS
    return {
        "kind": "heard", "type": kind, "packet": packet_id, "room": ROOM, "viewer": "v0", "other": "v1",
        "t_first": t_first, "t_last": t_first + 3 * NS_PER_MS, "count": viewers, "remaining": None, "left_ms": None,
        "comments": [],
    }  # fmt: skip


def _result(server: Server) -> Line:
    given = [claim for entry in server.journal for claim in entry["claims"]]
    best = sorted(([viewer, fen, index] for viewer, index, fen, _ in given), key=lambda luck: (-luck[1], luck[2]))[:10]
    return {"granted_count": len(given), "best_luck": best}


def _crowd(rng: Random, server: Server, viewers: list[str]) -> list[Line]:
    """Let every viewer tap some times, one exactly at each edge of the window, and write down what they hear."""
    taps: list[Tap] = []
    for viewer in viewers:
        for attempt in range(rng.choice((1, 1, 2, 3))):
            request_id = f"{server.packet_id}-{viewer}-{attempt}"
            sent_ms = server.opens_ms + rng.randrange(-30, 300)
            lost = rng.random() < 0.2
            taps.append(Tap(viewer, request_id, sent_ms, lost))
            if lost:
                taps.append(Tap(viewer, request_id, sent_ms + 60))
            if rng.random() < 0.3:
                taps.append(Tap(viewer, f"{request_id}-twin", sent_ms))
    taps.append(Tap("punctual", f"{server.packet_id}-early", server.opens_ms - 2 * TURN_MS + 1))
    taps.append(Tap("late", f"{server.packet_id}-late", server.ends_ms - TURN_MS + 1))
    turns: dict[int, list[Tap]] = {}
    for tap in sorted(taps, key=lambda tap: tap.sent_ms):
        turns.setdefault(tap.sent_ms + TURN_MS - tap.sent_ms % TURN_MS, []).append(tap)
    lines: list[Line] = []
    for at_ms in sorted(turns):
        for tap, answer in zip(turns[at_ms], server.turn(turns[at_ms], at_ms), strict=True):
            lines.append(_grab(rng, server.packet_id, tap, at_ms, answer))
    return lines


def _grab(rng: Random, packet_id: str, tap: Tap, at_ms: int, answer: tuple[str, Line | None]) -> Line:
    status, share = answer
    t_sent = T0_NS + tap.sent_ms * NS_PER_MS
    line: Line = {
        "kind": "grab", "i": 0, "conn": f"{tap.viewer}.0", "viewer": tap.viewer, "packet": packet_id,
        "request_id": tap.request_id, "behaviour": "eager", "t_intended": t_sent - rng.randrange(NS_PER_MS),
        "t_sent": t_sent, "t_reply": None, "type": "info", "status": None, "amount_fen": None, "index": None,
        "claim_id": None, "edition": None, "receipt": None,
    }  # fmt: skip
    if tap.lost:
        return line
    line |= {"t_reply": T0_NS + at_ms * NS_PER_MS + rng.randrange(1, 4 * NS_PER_MS), "status": status, "edition": 1}
    if share is None:
        return line | {"type": "fail", "receipt": f"{status}-{tap.request_id}"}
    index, amount_fen = share["index"], share["amount_fen"]
    receipt = f"{tap.request_id}-{status}-{index}-{amount_fen}"
    held = {"type": "ok", "amount_fen": amount_fen, "index": index, "claim_id": f"{packet_id}:{index}"}
    return line | held | {"receipt": receipt}


def unsent(grab: Line) -> None:
    """Change a grab into one whose receipt was never sent: its viewer waited for 5 s on a connection that lived on."""
    nothing = dict.fromkeys(("t_reply", "status", "amount_fen", "index", "claim_id", "edition", "receipt"))
    grab |= nothing | {"type": "info", "t_gave_up": grab["t_sent"] + 5_000 * NS_PER_MS}


def stray(grab: Line, conn: str) -> Line:
    """Return the receipt of a grab as one that another connection got."""
    told = {name: grab[name] for name in ("request_id", "packet", "status", "amount_fen", "index", "claim_id")}
    return {"kind": "stray", "conn": conn, "viewer": conn.partition(".")[0], "t": grab["t_reply"], **told}


def _movement(kind: str, packet_id: str, amount_fen: int, at_ms: int, **more: Any) -> Line:
    accounts = {
        "recharge": ("psp:alipay", f"funds:{CREATOR}"),
        "fund": (f"funds:{CREATOR}", f"escrow:{packet_id}"),
        "claim": (f"escrow:{packet_id}", f"assets:{packet_id}"),
    }
    debit, credit = accounts.get(kind, (f"escrow:{packet_id}", f"funds:{CREATOR}"))
    return {
        "kind": "journal", "creator_id": CREATOR, "entry_id": "", "movement": kind,
        "transfer_id": "" if kind == "claim" else f"{kind}:{packet_id}", "packet_id": packet_id, "debit": debit,
        "credit": credit, "amount_fen": amount_fen, "at_ms": at_ms, "claims": None, "edition": None, **more,
    }  # fmt: skip


def _packet(server: Server, terms: Terms, secret: bytes, rest: list[int], rest_fen: int, *, voided: bool) -> Line:
    return {
        "kind": "packet", "packet_id": server.packet_id, "creator_id": CREATOR, "room_id": ROOM, "name": "evening",
        "platform": "lab", "state": "voided" if voided else "settled", "allocator": "default",
        "denomination": str(terms.denomination), "share_count": terms.share_count, "total_fen": terms.total_fen,
        "min_share_fen": terms.min_share_fen, "max_share_fen": terms.max_share_fen,
        "warmup_at_ms": server.opens_ms - WARMUP_MS, "grab_at_ms": server.opens_ms, "claim_end_at_ms": server.ends_ms,
        "surface": "popup", "edition": 1, "commitment": commitment(terms, secret), "seed": secret.hex(),
        "editions": None, "ended_at_ms": None,
        "given": server.given, "given_fen": server.given_fen, "remaining": 0, "remaining_fen": 0,
        "returned": len(rest), "returned_fen": rest_fen,
    }  # fmt: skip


def _books(journal: list[Line], packets: list[Line], claims: list[Line]) -> list[Line]:
    for number, entry in enumerate(journal):
        entry["entry_id"] = f"{number + 1}-0"
    moved = {
        kind: sum(entry["amount_fen"] for entry in journal if entry["movement"] == kind)
        for kind in ("recharge", "fund", "sweep", "void")
    }
    returned = moved["sweep"] + moved["void"]
    wallet = {
        "available_fen": moved["recharge"] + returned - moved["fund"], "recharged_fen": moved["recharge"],
        "returned_fen": returned, "withdrawn_fen": 0, "spent_fen": moved["fund"],
    }  # fmt: skip
    last_id = journal[-1]["entry_id"]
    creator = {"kind": "creator", "creator_id": CREATOR, "cut_ms": 10**6, "journal_last_id": last_id, "wallet": wallet}
    clock = {"kind": "clock", "origin_ms": 0, "started_ms": 0, "speed": 1}
    return [clock, creator, *packets, *journal, *claims, {"kind": "end", "final": True}]


def _history(rng: Random, grabs: list[Line], facts: list[tuple[int, str, str]], viewers: int) -> list[Line]:
    """Write the facts down, and who heard them over which connections: some drop and resume, some join late."""
    facts = sorted(facts, key=lambda fact: fact[0])
    lines: list[Line] = [{"kind": "reading", "server_ms": 0, "t": T0_NS, "rtt_ns": 200_000}]
    for seq, (at_ms, kind, packet_id) in enumerate(facts, start=1):
        t_first = T0_NS + at_ms * NS_PER_MS + NS_PER_MS
        lines.append({
            "kind": "fact", "room": ROOM, "epoch": EPOCH, "seq": seq, "type": kind, "packet": packet_id,
            "hash": f"{kind}-{packet_id}", "t_first": t_first, "t_last": t_first + 3 * NS_PER_MS, "count": viewers,
            "at_ms": at_ms,
        })  # fmt: skip
        if kind == "open":
            lines.append({"kind": "arrival", "conn": "v0.0", "packet": packet_id, "t": t_first, "start_skew_ns": -7000})
    last = len(facts)
    for viewer in [*(f"v{name}" for name in range(viewers)), "punctual", "late"]:
        joined = rng.choice((0, 0, 0, rng.randrange(last)))
        left = rng.choice((last, last, rng.randrange(joined, last)))
        lines += _connection(viewer, 0, joined, left, facts)
        if left < last:
            lines += _connection(viewer, 1, left, last, facts)
    for number, grab in enumerate(grabs):
        grab["i"] = number
    conns = sum(1 for line in lines if line["kind"] == "conn")
    return [*lines, *grabs, {"kind": "end", "grabs": len(grabs), "conns": conns}]


def _connection(viewer: str, nth: int, joined: int, left: int, facts: list[tuple[int, str, str]]) -> list[Line]:
    """Write down a connection that came after number *joined* and went after number *left*."""
    # Whoever resumes does so a little after it dropped, so that there may be a gap to catch up with.
    t_open = T0_NS + (facts[joined - 1][0] + 2 if joined else -500) * NS_PER_MS + nth * NS_PER_MS
    t_close = T0_NS + (facts[left - 1][0] + 2 if left else -400) * NS_PER_MS
    conn = f"{viewer}.{nth}"
    lines: list[Line] = [{
        "kind": "conn", "conn": conn, "viewer": viewer, "room": ROOM, "t_open": t_open, "t_welcome": t_open + 1000,
        "epoch": EPOCH, "seq": joined, "resync": False, "t_close": t_close, "code": 1000,
        "patience_ms": 5_000,
    }]  # fmt: skip
    lines.append({
        "kind": "welcome", "room": ROOM, "epoch": EPOCH, "seq": joined, "packets": _on_air(facts[:joined]),
        "t_first": t_open + 1000, "t_last": t_open + 1000, "count": 1,
    })  # fmt: skip
    if left > joined:
        lines.append({"kind": "run", "conn": conn, "epoch": EPOCH, "first_seq": joined + 1, "last_seq": left})
    return lines


def _on_air(facts: list[tuple[int, str, str]]) -> list[list[Any]]:
    """Return the packets that a welcome shows after these facts."""
    shown: dict[str, list[Any]] = {}
    for _, kind, packet_id in facts:
        phase = {"warmup": "warming", "open": "grabbing", "closed": "claim_closed"}.get(kind)
        if kind in ("result", "voided"):
            shown.pop(packet_id, None)
        elif kind == "sold_out":
            shown[packet_id][3] = True
        else:
            shown[packet_id] = [packet_id, phase, None, kind == "closed" and shown[packet_id][3]]
    return list(shown.values())
