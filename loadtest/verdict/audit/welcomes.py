"""Welcomes (A14): each shows exactly the packets on air after the facts that it stands for, in their true phase."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from loadtest.record.hearsay import ShownRecord, WelcomeRecord
from loadtest.record.history import FactRecord, History
from loadtest.record.shape import evidence_of
from loadtest.verdict.audit.case import PacketCase
from loadtest.verdict.audit.momentary import COUNT_STANDS_NS
from loadtest.verdict.audit.shares_left import SharesLeft, shares_left
from loadtest.verdict.audit.stalls import Flights
from loadtest.verdict.audit.violation import Findings
from server.core.ids import PacketId, RoomId
from server.core.rooms.feed import FactKind

_PHASES: dict[str, str] = {FactKind.WARMUP: "warming", FactKind.OPEN: "grabbing", FactKind.CLOSED: "claim_closed"}
_GONE: frozenset[str] = frozenset({FactKind.RESULT, FactKind.VOIDED})


@dataclass(slots=True)
class _Aired:
    """A packet by the facts told of it: its phase (None if it is gone), whether it is sold out, and the last fact."""

    phase: str | None
    sold_out: bool | None
    last: FactRecord


class _KnownFeed:
    """
    The packets of one feed after a number of facts, as far as they are known.

    A number that nobody heard may have been about any packet: what is not known to be gone is then not known at all.
    """

    def __init__(self, facts: Iterable[FactRecord]) -> None:
        self._facts = sorted({fact.seq: fact for fact in facts}.values(), key=lambda fact: fact.seq)
        self._next = self._seq = 0
        self.is_whole = True
        self.packets: dict[PacketId, _Aired] = {}

    def advance(self, seq: int) -> None:
        """Take the facts up to a number, which is not below the one before."""
        while self._next < len(self._facts) and self._facts[self._next].seq <= seq:
            fact = self._facts[self._next]
            if fact.seq > self._seq + 1:
                self._forget()
            self._take(fact)
            self._seq, self._next = fact.seq, self._next + 1
        if self._seq < seq:
            self._forget()
            self._seq = seq

    def _forget(self) -> None:
        self.is_whole = False
        self.packets = {packet_id: each for packet_id, each in self.packets.items() if each.phase is None}

    def _take(self, fact: FactRecord) -> None:
        known, kind = self.packets.get(fact.packet), fact.type
        if known is not None and known.last.type == FactKind.CLOSED and kind != FactKind.RESULT:
            return  # nothing else comes after it (A9)
        if kind in _GONE:
            self.packets[fact.packet] = _Aired(None, None, fact)
        elif kind in _PHASES:
            sold_out = False if kind != FactKind.CLOSED else None if known is None else known.sold_out
            self.packets[fact.packet] = _Aired(_PHASES[kind], sold_out, fact)
        elif known is not None and known.phase is not None:
            known.sold_out, known.last = kind == FactKind.SOLD_OUT, fact


class ShownCounts:
    """The shares that were left of the packets whose counts welcomes showed."""

    def __init__(self, history: History, flights: Flights | None) -> None:
        self._flights = flights
        welcomes = () if flights is None else history.welcomes
        self._shown = {packet.packet_id for welcome in welcomes for packet in welcome.packets}
        self.left: dict[PacketId, SharesLeft | None] = {}

    def take(self, case: PacketCase) -> None:
        """Keep what was left of a packet, if a welcome showed it."""
        if self._flights is None or case.packet_id not in self._shown or case.receipts is None:
            return
        if case.packet is not None and len(case.packet.issued) == 1:
            self.left[case.packet_id] = shares_left(case, self._flights.times)


def check_welcomes(
    findings: Findings, history: History, left: Mapping[PacketId, SharesLeft | None], flights: Flights | None
) -> None:
    """Check A14 over the packets that welcomes showed, by the facts of their feeds and, for counts, by the journal."""
    facts: defaultdict[tuple[RoomId, str], list[FactRecord]] = defaultdict(list)
    for fact in history.facts:
        facts[fact.room, fact.epoch].append(fact)
    feeds = {key: _KnownFeed(known) for key, known in facts.items()}
    for welcome in sorted(history.welcomes, key=lambda each: each.seq):
        feed = feeds.setdefault((welcome.room, welcome.epoch), _KnownFeed(()))
        feed.advance(welcome.seq)
        _check_packets(findings, welcome, feed)
        made = None if flights is None else flights.of(welcome.t_first, older_ns=COUNT_STANDS_NS)
        if made is not None:
            _check_counts(findings, welcome, left, made)


def _check_packets(findings: Findings, welcome: WelcomeRecord, feed: _KnownFeed) -> None:
    shown = {packet.packet_id: packet for packet in welcome.packets}
    said = f"a welcome to room {welcome.room} after fact {welcome.seq}"
    if len(shown) < len(welcome.packets):
        findings.add("A14", "", "welcome twice", f"{said} shows a packet twice", evidence_of("welcome", welcome))
    for packet_id in shown.keys() | feed.packets.keys():
        known = feed.packets.get(packet_id)
        wrong = _wrong(shown.get(packet_id), known, is_whole=feed.is_whole)
        if wrong:
            seen = [] if known is None else [evidence_of("fact", known.last)]
            text = f"{said} {wrong}"
            findings.add("A14", packet_id, f"welcome {wrong[:9]}", text, evidence_of("welcome", welcome), *seen)


def _wrong(shown: ShownRecord | None, known: _Aired | None, *, is_whole: bool) -> str:
    """Return what is wrong with one packet in a welcome; empty if nothing is, or if nothing is known of it."""
    if known is None:
        return f"shows {shown.packet_id}, which was not announced" if shown is not None and is_whole else ""
    if shown is None:
        return f"omits {known.last.packet}, which is {known.phase}" if known.phase is not None else ""
    if known.phase is None:
        return f"shows {shown.packet_id}, whose {known.last.type} was told before"
    if shown.phase != known.phase:
        return f"says that {shown.packet_id} is {shown.phase}, but it is {known.phase}"
    if known.sold_out is not None and shown.sold_out != known.sold_out:
        sold_out = "sold out" if shown.sold_out else "not sold out"
        return f"says that {shown.packet_id} is {sold_out}, but the room was told otherwise"
    return ""


def _check_counts(
    findings: Findings, welcome: WelcomeRecord, left: Mapping[PacketId, SharesLeft | None], made: tuple[int, int]
) -> None:
    for packet in welcome.packets:
        steps = left.get(packet.packet_id)
        if steps is None or packet.remaining is None or packet.phase != _PHASES[FactKind.OPEN]:
            continue
        if not steps.allows(packet.remaining, *made):
            text = (
                f"a welcome to room {welcome.room} says that {packet.remaining} shares are left, "
                "but that was not true lately"
            )
            findings.add("A14", packet.packet_id, "welcome count", text, evidence_of("welcome", welcome))
