"""Real time of a foreign service (A7): nothing is granted outside the window, or after sold out was answered."""

from loadtest.record.shape import evidence_of
from loadtest.verdict.audit.violation import Findings
from loadtest.verdict.foreign.case import ForeignCase, HeldShare, replied


def check_window(findings: Findings, case: ForeignCase) -> None:
    """Check A7 by the audience's clock alone: by when a tap was sent and when its answer was there."""
    opens_ns, closes_ns = case.packet.opens_ns, case.packet.closes_ns
    latest: tuple[int, HeldShare] | None = None
    for share in case.shares:
        if opens_ns is not None and replied(share.first) < opens_ns:
            early = opens_ns - replied(share.first)
            text = f"{share} was granted {early} ns before the window opened"
            findings.add("A7", case.packet_id, "early", text, share.line(), case.line())
        asked_at = case.asked_at(share)
        if asked_at is None:
            continue
        if closes_ns is not None and asked_at > closes_ns:
            text = f"{share} was granted to a tap that was sent {asked_at - closes_ns} ns after the window closed"
            findings.add("A7", case.packet_id, "late", text, share.line(), case.line())
        if latest is None or asked_at > latest[0]:
            latest = (asked_at, share)
    refused = case.exhausted
    if refused is not None and latest is not None and latest[0] > replied(refused):
        asked_at, share = latest
        text = (
            f"{refused.viewer} heard that nothing is left {asked_at - replied(refused)} ns before the tap was sent "
            f"that won {share}"
        )
        findings.add("A7", case.packet_id, "exhausted", text, evidence_of("grab", refused), share.line())
