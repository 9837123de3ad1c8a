"""Answers: every grab gets exactly one receipt (A12), and nobody gets a receipt of somebody else's (A4)."""

from collections import defaultdict
from collections.abc import Sequence

from client_sim.behaviour import REST_LASTS_MS, Behaviour
from loadtest.record.history import ConnId, GrabRecord, History
from loadtest.record.shape import evidence_of
from loadtest.verdict.audit.circumstances import Absence
from loadtest.verdict.audit.violation import Findings
from server.core.ids import RequestId

RESTS_NS = round(2 * REST_LASTS_MS[1]) * 1_000_000  # a slow reader may have two rests in a row
_NS_PER_MS = 1_000_000

Sending = tuple[int, str, RequestId]
"""Process, seat and request: what a receipt answers."""


def check_answers(findings: Findings, history: History, absences: Sequence[Absence] = (), *, once: bool = True) -> None:
    """Check A12 over all grabs, and that no receipt went astray (A4); *once*: a second receipt is a violation too."""
    _check_strays(findings, history)
    for grab in unanswered(history, absences):
        text = (
            f"{grab.viewer}'s tap {grab.request_id} got no receipt, though connection {grab.conn} lived on for the "
            f"{_waited_ns(grab) // _NS_PER_MS} ms of its patience"
        )
        findings.add("A12", grab.packet, "unanswered", text, evidence_of("grab", grab))
    if once:
        _check_once(findings, history)


def _check_once(findings: Findings, history: History) -> None:
    """Check that a tap that was sent so many times got no more receipts."""
    more: defaultdict[Sending, list[GrabRecord]] = defaultdict(list)
    for grab in history.grabs.odd:
        if grab.again:
            more[_key(grab)].append(grab)
    if not more:
        return
    sent: defaultdict[Sending, list[GrabRecord]] = defaultdict(list)
    for grab in history.grabs:
        if not grab.again and _key(grab) in more:
            sent[_key(grab)].append(grab)
    for key, receipts in more.items():
        if len(receipts) > sum(1 for grab in sent[key] if grab.t_reply is None):
            last, times = receipts[-1], len(sent[key])
            text = f"{last.viewer}'s tap {last.request_id}, sent {times} times, got more receipts than that"
            shown = [evidence_of("grab", grab) for grab in (*sent[key][:1], last)]
            findings.add("A12", last.packet, "twice", text, *shown)


def unanswered(history: History, absences: Sequence[Absence]) -> list[GrabRecord]:
    """
    Return the grabs whose viewers waited in vain on connections that lived on.

    A receipt that came after all, when the viewer's patience had ended, is late, not missing. A grab near an absence,
    and one whose own process was asleep for half of the patience, has no outcome by design.
    """
    lost: list[GrabRecord] = []
    late: defaultdict[Sending, int] = defaultdict(int)
    for grab in history.grabs.odd:
        if grab.t_gave_up is not None:
            lost.append(grab)
        if grab.again:
            late[_key(grab)] += 1
    missing = []
    for grab in sorted(lost, key=lambda grab: grab.t_sent):
        if late[_key(grab)]:
            late[_key(grab)] -= 1
        elif not _excused(history, grab, absences):
            missing.append(grab)
    return missing


def unknown_by_design(history: History, absences: Sequence[Absence]) -> int:
    """
    Return how many grabs were not answered for a reason that the run knows: a lost connection, or a fault.

    Those whose answer could not be read are none of them.
    """
    silent = sum(1 for grab in history.grabs if grab.type == "info" and grab.t_reply is None)
    return max(0, silent - len(unanswered(history, absences)) - len(history.unread))


def _excused(history: History, grab: GrabRecord, absences: Sequence[Absence]) -> bool:
    waited_ns, gave_up = _waited_ns(grab), grab.t_gave_up or 0
    if grab.behaviour == Behaviour.SLOW_READER and waited_ns <= RESTS_NS:
        return True
    if any(absence.near(grab.t_sent, gave_up, waited_ns) for absence in absences):
        return True
    return any(
        health.lag_ms * _NS_PER_MS * 2 > waited_ns
        for health in history.healths
        # A lag is sampled when it is over: it may have begun before the viewer gave up, and end long after.
        if health.process == grab.process
        and grab.t_sent <= health.t
        and health.t - health.lag_ms * _NS_PER_MS <= gave_up + waited_ns
    )


def _check_strays(findings: Findings, history: History) -> None:
    """
    Check that each receipt belongs to its connection: its request was sent there, and for that packet.

    One whose request the seat did send, long ago, is no stray: the viewer only remembers its last few.
    """
    if not history.strays:
        return
    ids = {stray.request_id for stray in history.strays}
    near = [grab for grab in history.grabs if grab.request_id in ids]
    asked = {(*_key(grab), grab.packet) for grab in near}
    requests = {*map(_key, near)}
    for stray in history.strays:
        own = (stray.process, _seat(stray.conn), stray.request_id)
        if (*own, stray.packet) in asked or (stray.packet is None and own in requests):
            continue
        owner = next((grab for grab in near if grab.request_id == stray.request_id), None)
        whose = "nobody" if owner is None else owner.viewer
        text = (
            f"connection {stray.conn} of {stray.viewer} got a receipt ({stray.status}) for the request "
            f"{stray.request_id} of packet {stray.packet}, which {whose} had sent"
        )
        shown = [evidence_of("stray", stray)]
        if owner is not None:
            shown.append(evidence_of("grab", owner))
        findings.add("A4", stray.packet or "", "misdelivered", text, *shown)


def _waited_ns(grab: GrabRecord) -> int:
    return (grab.t_gave_up or 0) - grab.t_sent


def _key(grab: GrabRecord) -> Sending:
    return grab.process, _seat(grab.conn), grab.request_id


def _seat(conn: ConnId) -> str:
    """Return the seat of a connection: connections are called by it and their number (ARCHITECTURE.md)."""
    return str(conn).partition(".")[0]
