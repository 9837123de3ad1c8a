"""A5 for creators: a packet that is not in the books as it was asked for, or a recharge that is not in the wallet."""

import pytest

from loadtest.verdict.audit import audit
from loadtest.verdict.audit.circumstances import AskedPacket, Circumstances
from tests.loadtest.written_run import WINDOW_MS, WrittenRun, a_run


def _told(run: WrittenRun, asked: AskedPacket, recharged: int = 10_000_000) -> list[str]:
    """Return what is said of a run whose creator asked for this packet."""
    created = Circumstances(
        store_is_known=True, created=["c1.p0"], asked={"evening": asked}, recharged={"c1": recharged}
    )
    return [violation.detail for violation in audit(*run.read(), run=created) if violation.invariant == "A5"]


def _asked(run: WrittenRun) -> AskedPacket:
    packet = run.of("packet", packet_id="c1.p0")[0]
    return AskedPacket(packet["share_count"], packet["total_fen"], WINDOW_MS)


def test_a_packet_as_it_was_asked_for_is_right() -> None:
    """Also if the length of its window was left to the platform."""
    run = a_run()
    assert _told(run, _asked(run)) == []
    assert _told(run, _asked(run)._replace(claim_window_ms=None)) == []


@pytest.mark.parametrize(
    ("field", "says"), [("share_count", "shares"), ("total_fen", "fen"), ("claim_window_ms", "window")]
)
def test_a_packet_on_other_terms_is_a5(field: str, says: str) -> None:
    """Its books agree with each other, and with what its viewers were told."""
    run = a_run()
    asked = _asked(run)
    (told,) = _told(run, asked._replace(**{field: getattr(asked, field) + 1}))
    assert says in told


def test_a_recharge_that_is_a_fen_short_is_a5() -> None:
    """Unless the fen is the channel's fee, which the journal states."""
    run = a_run()
    (told,) = _told(run, _asked(run), recharged=10_000_001)
    assert told == "c1 paid 10000001 fen in, and the journal does not say so"
    run.of("journal", movement="recharge")[0]["fee_fen"] = 1
    assert _told(run, _asked(run), recharged=10_000_001) == []
