"""Fan-out (A9): every viewer receives every fact of its room exactly once and in order."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

from loadtest.record.history import ConnId, ConnRecord, FactRecord, History, RunRecord
from loadtest.record.shape import evidence_of
from loadtest.verdict.audit.violation import Findings
from server.core.ids import RoomId, ViewerId
from server.core.rooms.feed import FactKind

GRACE_NS = 200_000_000
"""A viewer that leaves within this of a fact's last arrival may have left before its own copy came."""

GOING = frozenset({None, 1000, 1001})
"""Close codes of a viewer that left by itself: it must have received all facts published before."""

SAID_AGAIN = frozenset({FactKind.SOLD_OUT, FactKind.REOPENED})
"""Facts that a later edition of the same packet may repeat."""

Feed = tuple[RoomId, str]


@dataclass(slots=True)
class Member:
    """One welcomed connection, the seq numbers it received in order, and the seq up to which it knew all before."""

    conn: ConnRecord
    runs: list[RunRecord]
    knew: int

    @property
    def last_seq(self) -> int:
        """Return the last seq it knew at the end."""
        return self.runs[-1].last_seq if self.runs else self.knew


def check_fanout(findings: Findings, history: History) -> None:
    """Check A9 over all connections and all rooms."""
    feeds: defaultdict[Feed, dict[int, FactRecord]] = defaultdict(dict)
    for fact in history.facts:
        _keep(findings, feeds[fact.room, fact.epoch], fact)
    for feed in feeds.values():
        _check_feed(findings, feed)
    members = _members(findings, history)
    _check_starts(findings, members)
    for member in members:
        _check_run(findings, member)
    _check_tails(findings, members, feeds, _end_of(history))
    for differ in history.differs:
        text = f"connection {differ.conn} got number {differ.seq} with other bytes than the rest of its process"
        findings.add("A9", "", f"differs {differ.process}", text, evidence_of("differ", differ))


def _keep(findings: Findings, feed: dict[int, FactRecord], fact: FactRecord) -> None:
    """Add a fact received by one process to a feed; all processes must have received the same bytes."""
    first = feed.setdefault(fact.seq, fact)
    if first.hash != fact.hash:
        text = f"number {fact.seq} of room {fact.room} is not the same for all processes"
        findings.add("A9", fact.packet, "hash", text, evidence_of("fact", first), evidence_of("fact", fact))
    if fact.t_last > first.t_last:
        feed[fact.seq] = first._replace(t_last=fact.t_last)


def _check_feed(findings: Findings, feed: dict[int, FactRecord]) -> None:
    """Check that a feed publishes each fact once, and of a closed packet only its result."""
    closed: dict[str, FactRecord] = {}
    said: dict[tuple[str, str], FactRecord] = {}
    for seq in sorted(feed):
        fact = feed[seq]
        before = said.setdefault((fact.packet, fact.type), fact)
        if before is not fact and fact.type not in SAID_AGAIN:
            text = f"{fact.type} was said twice, as number {before.seq} and as number {seq}"
            findings.add("A9", fact.packet, "twice", text, evidence_of("fact", before), evidence_of("fact", fact))
        ending = closed.get(fact.packet)
        if ending is not None and fact.type != FactKind.RESULT:
            text = f"{fact.type} was said after closed"
            findings.add("A9", fact.packet, "closed", text, evidence_of("fact", ending), evidence_of("fact", fact))
        if fact.type == FactKind.CLOSED:
            closed[fact.packet] = fact


def _members(findings: Findings, history: History) -> list[Member]:
    runs: defaultdict[tuple[int, ConnId], list[RunRecord]] = defaultdict(list)
    for run in history.runs:
        runs[run.process, run.conn].append(run)
    members = []
    for conn in history.conns:
        got = runs.pop((conn.process, conn.conn), [])
        if conn.t_welcome is not None:
            members.append(Member(conn, got, conn.seq or 0))
        elif got:
            text = f"connection {conn.conn} of {conn.viewer} got facts before its welcome"
            findings.add("A9", "", "welcome", text, evidence_of("conn", conn), evidence_of("run", got[0]))
    for orphans in runs.values():
        text = f"connection {orphans[0].conn} got facts, but nobody opened it"
        findings.add("A9", "", "orphan", text, evidence_of("run", orphans[0]))
    return members


def _check_run(findings: Findings, member: Member) -> None:
    """Check that one connection's numbers have no gap, repeat or step back."""
    conn, runs = member.conn, member.runs
    for before, after in pairwise(runs):
        what = "missed" if after.first_seq > before.last_seq + 1 else "got again or out of order"
        text = (
            f"connection {conn.conn} of {conn.viewer} in room {conn.room} {what}: "
            f"after number {before.last_seq} came {after.first_seq}"
        )
        shown = (evidence_of("run", before), evidence_of("run", after))
        findings.add("A9", "", f"run {conn.room}", text, *shown)


def _check_starts(findings: Findings, members: list[Member]) -> None:
    """
    Check where each connection's numbers begin.

    A viewer's first connection begins right after the number its welcome states. A later one that was not told to
    start afresh (``resync``) goes on right after the number it asked for: it gets exactly the gap. Where a history does
    not say what was asked for, it is where one of the viewer's ended connections stopped, in the same epoch; of two
    devices either may be the one that came back, or the second may only be coming in.
    """
    came: defaultdict[tuple[RoomId, ViewerId, str | None], list[Member]] = defaultdict(list)
    for member in sorted(members, key=lambda member: member.conn.t_open):
        conn, runs = member.conn, member.runs
        earlier = came[conn.room, conn.viewer, conn.epoch]
        expected = _expected(conn, earlier)
        begins = runs[0].first_seq if runs else max(expected)
        member.knew = begins - 1
        if runs and (runs[0].epoch != conn.epoch or begins not in expected):
            wanted = " or ".join(str(seq) for seq in sorted(expected))
            text = (
                f"connection {conn.conn} of {conn.viewer} in room {conn.room} began with number {begins} "
                f"of epoch {runs[0].epoch}, not with {wanted} of {conn.epoch}"
            )
            findings.add("A9", "", f"start {conn.room}", text, evidence_of("conn", conn), evidence_of("run", runs[0]))
        resumed = next((one for one in earlier if _ended_before(one, conn) and one.last_seq == member.knew), None)
        if resumed is not None and conn.resync is False:
            earlier.remove(resumed)
        earlier.append(member)


def _expected(conn: ConnRecord, earlier: list[Member]) -> set[int]:
    """Return the numbers with which a connection may begin, given the viewer's earlier ones that none went on from."""
    afresh = (conn.seq or 0) + 1
    ended = [one for one in earlier if _ended_before(one, conn)]
    if conn.resync is False and conn.resumed_from is not None:
        return {conn.resumed_from + 1}
    if not ended or conn.resync is not False:
        return {afresh}
    expected = {one.last_seq + 1 for one in ended}
    if len(ended) < len(earlier):
        expected.add(afresh)
    return expected


def _ended_before(one: Member, conn: ConnRecord) -> bool:
    return one.conn.t_close is not None and one.conn.t_close <= conn.t_open


def _check_tails(findings: Findings, members: list[Member], feeds: dict[Feed, dict[int, FactRecord]], end: int) -> None:
    """Check that a viewer who stayed heard the last facts too: a gap at the end shows in no run."""
    ordered = {key: [feed[seq] for seq in sorted(feed)] for key, feed in feeds.items()}
    for member in members:
        conn = member.conn
        if conn.code not in GOING:
            continue
        left_at = end if conn.t_close is None else conn.t_close
        for fact in reversed(ordered.get((conn.room, conn.epoch or ""), [])):
            if fact.seq <= member.last_seq:
                break
            if max(fact.t_last, conn.t_welcome or 0) + GRACE_NS < left_at:
                text = (
                    f"connection {conn.conn} of {conn.viewer} in room {conn.room} never got number {fact.seq} "
                    f"({fact.type}), though it stayed"
                )
                shown = (evidence_of("fact", fact), evidence_of("conn", conn))
                findings.add("A9", fact.packet, f"tail {conn.room}", text, *shown)
                break


def _end_of(history: History) -> int:
    """Return the last instant that the history knows of."""
    times = [fact.t_last for fact in history.facts]
    times += [conn.t_close for conn in history.conns if conn.t_close is not None]
    return max(times, default=0)
