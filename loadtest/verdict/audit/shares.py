"""Exact shares (A8): the given shares are those that the packet committed to before it opened."""

from loadtest.verdict.audit.case import DEFAULT_ALLOCATOR, PacketCase
from loadtest.verdict.audit.violation import Findings
from loadtest.verdict.verify import verify_packet


def check_shares(findings: Findings, case: PacketCase) -> None:
    """Check A8 for one packet, against its revealed seed if there is one."""
    if case.packet is None:
        if case.claims or case.given:
            findings.add("A8", case.packet_id, "no packet", "shares were given of a packet that the books do not know")
        return
    for problem in verify_packet(case.packet, case.claims, case.left).problems:
        findings.add("A8", case.packet_id, problem.check, problem.detail, *problem.evidence)
    if case.packet.allocator == DEFAULT_ALLOCATOR:
        _check_journal(findings, case)


def _check_journal(findings: Findings, case: PacketCase) -> None:
    """Check that the journal gives the shares one after another: an index is the running number of the claim."""
    for number, given in enumerate(case.given):
        if given.claim.index != number:
            text = f"the journal gives share {given.claim.index} as number {number}"
            findings.add("A8", case.packet_id, "journal", text, given.line())
