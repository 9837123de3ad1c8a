"""The badge of a foreign service: by receipts alone, and undecided while an answer is on its way."""

from loadtest.record.declared import declarations_from
from loadtest.watch.foreign_live_audit import ForeignLiveAudit
from loadtest.watch.live_audit import Badge, Light
from tests.loadtest.foreign_run import ForeignRun, Line, a_grab, declaration

NOW_NS = 5_000_000_000


def live(grabs: list[Line], *, waiting: int = 0) -> Badge:
    run = ForeignRun([declaration(share_count=2)], grabs)
    _, history = run.read()
    audit = ForeignLiveAudit(declarations_from(run.declared))
    audit.hear(history.grabs)
    return audit.check(NOW_NS, waiting)


def granted(viewer: str, index: int) -> Line:
    return a_grab(viewer, "granted", index=index, claim_id=f"c{index}")


def test_receipts_that_fit_are_green() -> None:
    badge = live([granted("v1", 0), granted("v2", 1), a_grab("v3", "exhausted")])
    assert (badge.light, badge.why, badge.over, badge.under) == (Light.GREEN, "receipts_only", 0, 0)
    assert (badge.receipts, badge.checked_at_ms) == (3, 5_000)


def test_one_share_too_many_is_red_at_once_with_the_receipts() -> None:
    badge = live([granted("v1", 0), granted("v2", 1), granted("v3", 2)], waiting=5)
    assert (badge.light, badge.over) == (Light.RED, 1)
    proof = badge.proofs[0]
    assert (proof.invariant, proof.packet_name, proof.share_count, proof.claims) == ("A1", "p1", 2, 3)
    assert [(witness.kind, witness.viewer_id) for witness in proof.witnesses] == [("receipt", "v2"), ("receipt", "v3")]


def test_sold_out_too_soon_is_decided_once_everybody_is_answered() -> None:
    """Somebody whose answer is on its way may have the share that seems to be missing."""
    grabs = [granted("v1", 0), a_grab("v3", "exhausted")]
    waits, decided = live(grabs, waiting=1), live(grabs)
    assert (waits.light, waits.why, waits.under) == (Light.AMBER, "on_their_way", 0)
    assert (decided.light, decided.under) == (Light.RED, 1)
