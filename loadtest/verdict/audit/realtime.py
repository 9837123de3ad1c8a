"""Real time (A7): claims lie in their window, and the order of shares agrees with the order of taps and receipts."""

from operator import attrgetter

from loadtest.record.history import GrabRecord
from loadtest.record.journal import JournalRecord
from loadtest.record.shape import Line, evidence_of
from loadtest.verdict.audit.case import DEFAULT_ALLOCATOR, PacketCase, PacketReceipts
from loadtest.verdict.audit.circumstances import RoomTimes
from loadtest.verdict.audit.violation import Findings

_NS_PER_MS = 1_000_000


def check_realtime(findings: Findings, case: PacketCase, times: RoomTimes | None = None) -> None:
    """Check A7 for one packet; *times* is the audience's own reading of the room clock, if it has one."""
    check_window(findings, case)
    if case.receipts is not None:
        _check_exhausted(findings, case, case.receipts)
        _check_order(findings, case, case.receipts)
        if times is not None:
            _check_instants(findings, case, case.receipts, times)


def check_window(findings: Findings, case: PacketCase) -> None:
    """Check that shares are given inside the window, and none after a sweep, by the books alone."""
    _check_window(findings, case)
    _check_finality(findings, case)


def _check_window(findings: Findings, case: PacketCase) -> None:
    packet = case.packet
    if packet is None or not case.given:
        return
    opens, ends = packet.grab_at_ms, packet.claim_end_at_ms
    if ends is not None and packet.ended_at_ms is not None:
        ends = packet.ended_at_ms + 1  # the claims of that millisecond may have come before it
    if opens is None or ends is None:
        text = "a share was given of a packet that was never launched"
        findings.add("A7", case.packet_id, "window", text, case.given[0].line())
        return
    for given in case.given:
        at_ms = given.entry.at_ms
        if not opens <= at_ms < ends:
            off = f"{opens - at_ms} ms before it opened" if at_ms < opens else f"{at_ms - ends} ms after its end"
            text = f"share {given.claim.index} was given at {at_ms}, {off} (window {opens} <= t < {ends})"
            findings.add("A7", case.packet_id, "window", text, given.line())


def _check_finality(findings: Findings, case: PacketCase) -> None:
    """Check that nothing is given or edited after a sweep, a void or an end, and that no sweep comes early."""
    over = None
    for entry in case.entries:
        if entry.movement in {"claim", "edit", "trim"} and over is not None:
            done = "given" if entry.movement == "claim" else "edited"
            text = f"shares were {done} after the packet's {over.movement}"
            findings.add("A7", case.packet_id, "finality", text, _entry(over), _entry(entry))
        if entry.movement in {"sweep", "void", "end"}:
            over = entry
        ends = None if case.packet is None else case.packet.claim_end_at_ms
        if entry.movement == "sweep" and ends is not None and entry.at_ms < ends:
            text = f"swept at {entry.at_ms}, {ends - entry.at_ms} ms before the window's end"
            findings.add("A7", case.packet_id, "early sweep", text, _entry(entry))


def _entry(entry: JournalRecord) -> Line:
    """Return an entry as evidence, with one claim of its batch."""
    return evidence_of("journal", entry._replace(claims=entry.claims and entry.claims[:1]))


def _check_exhausted(findings: Findings, case: PacketCase, receipts: PacketReceipts) -> None:
    """Check that every share had been tapped for when the first viewer received that none is left."""
    refused = receipts.exhausted
    if refused is None or refused.t_reply is None:
        return
    sent, last = 0, None
    for claim in case.claims:
        asked = receipts.asked.get((claim.viewer_id, claim.request_id))
        if asked is not None and (last is None or asked > sent):
            sent, last = asked, claim
    if last is not None and sent > refused.t_reply:
        text = (
            f"{refused.viewer} heard that nothing is left {sent - refused.t_reply} ns before {last.viewer_id} "
            f"had tapped for share {last.index}, which it got"
        )
        shown = {**evidence_of("claim", last), "t_sent": sent}
        findings.add("A7", case.packet_id, "exhausted", text, evidence_of("grab", refused), shown)


def _check_instants(findings: Findings, case: PacketCase, receipts: PacketReceipts, times: RoomTimes) -> None:
    """
    Check that each share is dated between its owner's tap and its owner's receipt: the window is judged by dates.

    An allocator that looks at the time before it asks its own keys may write the share that one tap won into the books
    with the date at which it took up an earlier tap of the viewer. So for any but the default one the earliest tap
    counts that was answered with the share.
    """
    answered = {} if case.packet is None or case.packet.allocator == DEFAULT_ALLOCATOR else _first_answered(receipts)
    asked, learned, error_ns = receipts.asked, receipts.learned, times.error_ns
    entry, given_ns = None, 0
    for given in case.given:
        claim = given.claim
        if given.entry is not entry:  # a batch is of one instant
            entry = given.entry
            given_ns = times.ns(entry.at_ms)
        sent = asked.get((claim.viewer_id, claim.request_id))
        if answered and sent is not None:
            sent = min(sent, answered.get((claim.viewer_id, claim.index), sent))
        told = learned.get(claim.viewer_id)
        off_ns, what = 0, ""
        if sent is not None and given_ns < sent:
            off_ns, what = sent - given_ns, "before its owner tapped"
        elif told is not None and told.t_reply is not None and told.index == claim.index:
            off_ns, what = given_ns - told.t_reply, "after its owner had the receipt"
        if off_ns > error_ns:
            text = f"share {claim.index} is dated {given.entry.at_ms}, {off_ns / _NS_PER_MS:.1f} ms {what}"
            shown = () if told is None else (evidence_of("grab", told),)
            findings.add("A7", case.packet_id, "dated", text, given.line(), *shown)


def _first_answered(receipts: PacketReceipts) -> dict[tuple[str, int | None], int]:
    """Return for each viewer and share when the first tap was sent that was answered with it."""
    first: dict[tuple[str, int | None], int] = {}
    for grab in receipts.shares:
        held = (grab.viewer, grab.index)
        first[held] = min(grab.t_sent, first.get(held, grab.t_sent))
    return first


def _check_order(findings: Findings, case: PacketCase, receipts: PacketReceipts) -> None:
    """
    Check that a share whose owner knew of it before another's tap was sent has the lower index.

    From the highest index downwards, remember the earliest receipt: a tap sent after it must not get a lower index.
    """
    earliest: GrabRecord | None = None
    learned_at = 0
    for claim in sorted(case.claims, key=attrgetter("index"), reverse=True):
        sent = receipts.asked.get((claim.viewer_id, claim.request_id))
        told = receipts.learned.get(claim.viewer_id)
        if earliest is not None and sent is not None and sent > learned_at and (earliest.index or 0) > claim.index:
            text = (
                f"{earliest.viewer} had its receipt of share {earliest.index} {sent - learned_at} ns before "
                f"{claim.viewer_id} tapped, who got the earlier share {claim.index}"
            )
            shown = {**evidence_of("claim", claim), "t_sent": sent}
            findings.add("A7", case.packet_id, "order", text, evidence_of("grab", earliest), shown)
        if told is None or told.t_reply is None or told.index != claim.index:
            continue
        if earliest is None or told.t_reply < learned_at:
            earliest, learned_at = told, told.t_reply
