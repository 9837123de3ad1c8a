"""Comments (A14): each that the server took from a viewer reached somebody else in the room."""

from collections import defaultdict
from typing import NamedTuple

from client_sim.behaviour import Behaviour
from loadtest.record.hearsay import CommentRecord, HushedRecord
from loadtest.record.history import ConnId, ConnRecord, History
from loadtest.record.shape import evidence_of
from loadtest.verdict.audit.circumstances import LOOKED_FOR_NS, Circumstances
from loadtest.verdict.audit.stalls import Stalls
from loadtest.verdict.audit.violation import Findings

REACHES_NS = 1_500_000_000
"""A connection in the room for so long after a comment was sent must get it: it waits for its window, then travels."""

LISTENERS_MIN = 8
"""Listeners who must have been there: comments may be lost between processes, and few may all be at another one."""

LOST_MAX = 200  # of the comments that nobody heard, so many are looked at
COMMENTS_MAX = 25  # in a second around a comment: of more, a window of the room drops some
_CROWDED_NS = 1_000_000_000

Saying = tuple[str, str, str]
"""Room, author and text."""


class _Excuses(NamedTuple):
    """The records that may excuse a comment that nobody heard."""

    history: History
    conns: dict[tuple[int, ConnId], ConnRecord]
    hushed: dict[tuple[int, ConnId], list[HushedRecord]]
    slow: frozenset[str]


def check_comments(findings: Findings, history: History, run: Circumstances, stalls: Stalls) -> None:
    """Check A14 over the comments that viewers sent."""
    if not history.comments:
        return
    heard = _heard(history)
    lost = [
        each
        for each in history.comments
        if not any(t >= each.t for t in heard.get((each.room, each.viewer, each.text), ()))
    ]
    if not lost:
        return
    hushed: defaultdict[tuple[int, ConnId], list[HushedRecord]] = defaultdict(list)
    for rebuke in history.hushed:
        hushed[rebuke.process, rebuke.conn].append(rebuke)
    slow = frozenset(grab.viewer for grab in history.grabs if grab.behaviour == Behaviour.SLOW_READER)
    conns = {(conn.process, conn.conn): conn for conn in history.conns}
    evidence = _Excuses(history, conns, hushed, slow)
    for comment in lost[:LOST_MAX]:
        until = comment.t + REACHES_NS + stalls.ns(comment.t, comment.t + REACHES_NS)
        if run.absent(comment.t, until, LOOKED_FOR_NS) or _may_be_dropped(comment, until, evidence):
            continue
        listeners = _listeners(comment, until, evidence)
        if len(listeners) >= LISTENERS_MIN:
            text = (
                f"{comment.viewer} said something to room {comment.room}, and none of the "
                f"{len(listeners)} other connections that stayed got it"
            )
            shown = (evidence_of("comment", comment), evidence_of("conn", listeners[0]))
            findings.add("A14", "", f"comment {comment.room}", text, *shown)


def _heard(history: History) -> dict[Saying, list[int]]:
    """Return when each comment last reached somebody besides its author."""
    reached: defaultdict[Saying, list[int]] = defaultdict(list)
    for heard in history.heard:
        for author, text in heard.comments:
            if heard.viewer != author or heard.other is not None:
                reached[heard.room, author, text].append(heard.t_last)
    return reached


def _may_be_dropped(comment: CommentRecord, until: int, evidence: _Excuses) -> bool:
    """Tell whether the server may have refused or dropped a comment, or never have got it."""
    conn = evidence.conns.get((comment.process, comment.conn))
    if conn is None or (conn.t_close is not None and conn.t_close <= until):
        return True
    if any(comment.t <= rebuke.t <= until for rebuke in evidence.hushed.get((comment.process, comment.conn), ())):
        return True
    near = sum(
        1
        for each in evidence.history.comments
        if each.room == comment.room and abs(each.t - comment.t) <= _CROWDED_NS + until - comment.t - REACHES_NS
    )
    return near > COMMENTS_MAX


def _listeners(comment: CommentRecord, until: int, evidence: _Excuses) -> list[ConnRecord]:
    return [
        conn
        for conn in evidence.history.conns
        if conn.room == comment.room and conn.viewer != comment.viewer and conn.viewer not in evidence.slow
        if conn.t_welcome is not None and conn.t_welcome < comment.t
        if conn.t_close is None or conn.t_close > until
    ]
