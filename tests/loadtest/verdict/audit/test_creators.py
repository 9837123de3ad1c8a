"""A5 for creators: a packet that is not in the books as it was asked for, or a recharge that is not in the wallet."""

from typing import Any

import pytest

from loadtest.verdict.audit import audit
from loadtest.verdict.audit.circumstances import AskedPacket, Circumstances
from server.core.ids import PacketId
from server.core.packets.packet import PacketState
from tests.loadtest.written_run import WINDOW_MS, WrittenRun, a_run


def _told(run: WrittenRun, asked: AskedPacket, recharged: int = 10_000_000) -> list[str]:
    """Return what is said of a run whose creator asked for this packet."""
    first = PacketId("c1.p0")
    created = Circumstances(store_is_known=True, created=[first], asked={first: asked}, recharged={"c1": recharged})
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


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"edited": 7}, "was to have 7 shares after its last edit, and has 6"),
        ({"over": PacketState.VOIDED}, "was to be voided by its creator, and is settled by the sweeper"),
        ({"over": PacketState.SETTLED}, "was to be settled by its creator, and is settled by the sweeper"),
    ],
)
def test_a_step_that_was_acknowledged_and_not_taken_is_a5(change: dict[str, Any], says: str) -> None:
    """A creator's edit, void or end is kept like a viewer's share."""
    run = a_run()
    (told,) = _told(run, _asked(run)._replace(**change))
    assert says in told
    run.of("packet", packet_id="c1.p0")[0]["ended_at_ms"] = 10**6
    assert _told(run, _asked(run)._replace(edited=6, over=PacketState.SETTLED)) == []


def test_a_recharge_that_is_a_fen_short_is_a5() -> None:
    """Unless the fen is the channel's fee, which the journal states."""
    run = a_run()
    (told,) = _told(run, _asked(run), recharged=10_000_001)
    assert told == "c1 paid 10000001 fen in, and the journal does not say so"
    run.of("journal", movement="recharge")[0]["fee_fen"] = 1
    assert _told(run, _asked(run), recharged=10_000_001) == []
