"""Receipts: one share per viewer (A3), none invented (A4), none lost (A5), always the same one (A6)."""

from loadtest.record.books import ClaimRecord
from loadtest.record.history import GrabRecord
from loadtest.record.shape import Line, evidence_of
from loadtest.verdict.audit.case import DEFAULT_ALLOCATOR, Given, PacketCase, PacketReceipts, Tap
from loadtest.verdict.audit.violation import Findings
from server.core.ids import ViewerId, claim_id_of
from server.core.packets.claim import ClaimStatus

_GRANTED = ClaimStatus.GRANTED.value


def check_one_each(findings: Findings, case: PacketCase) -> None:
    """Check A3: a viewer owns one share of a packet at most, in the claims, in the journal and by its receipts."""
    if len(case.owned) < len(case.claims):
        owned: dict[ViewerId, ClaimRecord] = {}
        for claim in case.claims:
            first = owned.setdefault(claim.viewer_id, claim)
            if first is not claim:
                text = f"{claim.viewer_id} owns shares {first.index} and {claim.index}"
                shown = (evidence_of("claim", first), evidence_of("claim", claim))
                findings.add("A3", case.packet_id, "claims", text, *shown)
    journaled: dict[ViewerId, Given] = {}
    for given in case.given:
        before = journaled.setdefault(given.claim.viewer_id, given)
        if before is not given:
            text = f"{given.claim.viewer_id} was given shares {before.claim.index} and {given.claim.index}"
            findings.add("A3", case.packet_id, "journal", text, before.line(), given.line())


def check_receipts(findings: Findings, case: PacketCase) -> None:
    """Check A3 to A6: each receipt with a share against the books, and against the viewer's other receipts."""
    if case.receipts is None:
        return
    homeless = []
    owned, learned, shares = case.owned, case.receipts.learned, case.receipts.shares
    for grab in shares:
        claim = owned.get(grab.viewer)
        if claim is None:
            homeless.append(grab)
        elif not _is_same(grab, claim):
            _check_same(findings, case, grab, claim)
    if len(learned) < len(shares):
        _check_repeats(findings, case, case.receipts)
    _check_lost(findings, case, homeless)


def _is_same(grab: GrabRecord, claim: ClaimRecord) -> bool:
    """Tell whether nothing can be wrong with a first receipt: nearly all are such, and this is quick."""
    return (
        grab.index == claim.index
        and grab.amount_fen == claim.amount_fen
        and grab.request_id == claim.request_id
        and grab.status == _GRANTED
        and grab.claim_id == f"{claim.packet_id}:{claim.index}"
    )


def _check_repeats(findings: Findings, case: PacketCase, receipts: PacketReceipts) -> None:
    """Check that who was told of a share more than once was told of the same one, and a tap in the same bytes."""
    first_of: dict[Tap, GrabRecord] = {}
    for grab in receipts.shares:
        told = receipts.learned[grab.viewer]
        if told is not grab:
            _check_share(findings, case, told, grab)
        first = first_of.setdefault((grab.viewer, grab.request_id), grab)
        if first.receipt != grab.receipt:
            text = f"{grab.viewer}'s tap {grab.request_id} got two receipts that differ"
            findings.add("A6", case.packet_id, "bytes", text, evidence_of("grab", first), evidence_of("grab", grab))


def _check_share(findings: Findings, case: PacketCase, told: GrabRecord, grab: GrabRecord) -> None:
    """Check that a viewer's receipt names the share that the first one named."""
    shown = (evidence_of("grab", told), evidence_of("grab", grab))
    if told.index != grab.index:
        text = f"{grab.viewer} was told of share {told.index} and of share {grab.index}"
        findings.add("A3", case.packet_id, "receipts", text, *shown)
    if (told.index, told.amount_fen) != (grab.index, grab.amount_fen):
        text = (
            f"{grab.viewer} was told share {told.index}, {told.amount_fen} fen, "
            f"and then share {grab.index}, {grab.amount_fen} fen"
        )
        findings.add("A6", case.packet_id, "share", text, *shown)


def _check_lost(findings: Findings, case: PacketCase, homeless: list[GrabRecord]) -> None:
    """Report receipts whose viewers own nothing: their claims were never written (A4) or are lost (A5)."""
    if not homeless:
        return
    holders = {claim.index: claim for claim in case.claims}
    written = {(given.claim.viewer_id, given.claim.index) for given in case.given}
    for grab in homeless:
        holder = None if grab.index is None else holders.get(grab.index)
        shown = _beside(grab, holder)
        says = "nobody" if holder is None else holder.viewer_id
        text = (
            f"{grab.viewer} was told that it got share {grab.index}, {grab.amount_fen} fen; by the books {says} has it"
        )
        if case.final:
            findings.add("A5", case.packet_id, "lost", text, *shown)
        if (grab.viewer, grab.index) not in written:
            findings.add("A4", case.packet_id, "phantom", text, *shown)


def _beside(grab: GrabRecord, claim: ClaimRecord | None) -> tuple[Line, ...]:
    shown = evidence_of("grab", grab)
    return (shown,) if claim is None else (shown, evidence_of("claim", claim))


def _check_same(findings: Findings, case: PacketCase, grab: GrabRecord, claim: ClaimRecord) -> None:
    if grab.index != claim.index or grab.amount_fen != claim.amount_fen:
        text = (
            f"{grab.viewer} was told share {grab.index}, {grab.amount_fen} fen, "
            f"but the books say share {claim.index}, {claim.amount_fen} fen"
        )
        findings.add("A4", case.packet_id, "differs", text, *_beside(grab, claim))
    elif grab.claim_id is not None and grab.claim_id != claim_id_of(case.packet_id, claim.index):
        text = f"{grab.viewer} was told claim {grab.claim_id} for share {claim.index}"
        findings.add("A4", case.packet_id, "claim id", text, *_beside(grab, claim))
    elif (grab.status == ClaimStatus.GRANTED) != (grab.request_id == claim.request_id):
        text = f"{grab.viewer}'s tap {grab.request_id} was told {grab.status}, but {claim.request_id} won the share"
        findings.add("A4", case.packet_id, "winning tap", text, *_beside(grab, claim))


def check_winners(findings: Findings, case: PacketCase) -> None:
    """Check that nobody who had been told of its share (A6) is told, when it asks again, that it has none."""
    if case.receipts is None or case.packet is None or case.packet.allocator != DEFAULT_ALLOCATOR:
        return
    for grab in case.receipts.lost:
        told = case.receipts.learned.get(grab.viewer)
        if told is not None and told.t_reply is not None and grab.t_sent > told.t_reply:
            text = f"{grab.viewer} was told share {told.index}, and {grab.status} when it asked again"
            findings.add("A6", case.packet_id, "refused", text, evidence_of("grab", told), evidence_of("grab", grab))


def check_asked(findings: Findings, case: PacketCase) -> None:
    """Check the other half of A4: nobody owns what nobody tapped for."""
    if case.receipts is None or len(case.receipts.asked) == len(case.claims):
        return
    for claim in case.claims:
        if (claim.viewer_id, claim.request_id) not in case.receipts.asked:
            text = f"{claim.viewer_id} owns share {claim.index} by a tap {claim.request_id} that it never made"
            findings.add("A4", case.packet_id, "not asked", text, evidence_of("claim", claim))
