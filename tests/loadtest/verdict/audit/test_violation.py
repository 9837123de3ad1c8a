"""Violations: one counterexample and a number, not thousands of them."""

from loadtest.verdict.audit.violation import Findings


def test_the_first_of_a_kind_is_shown_and_the_others_are_counted() -> None:
    """Equal kinds at one packet are one violation; another packet is another."""
    findings = Findings()
    findings.add("A8", "p1", "twice", "share 3 has two owners", {"kind": "claim"})
    findings.add("A8", "p1", "twice", "share 4 has two owners")
    findings.add("A1", "p2", "claims", "too many")

    first, second = findings.violations()

    assert (first.invariant, first.packet_id, first.detail, first.evidence) == ("A1", "p2", "too many", ())
    assert second.detail == "share 3 has two owners (the first of 2)"
    assert second.evidence == ({"kind": "claim"},)
