"""A packet's time on the air after an edit of its issuance, or an end."""

from dataclasses import replace

import pytest

from server.core.packets.lifecycle import CountShares, Propose, Settle
from server.core.packets.packet import Denomination, Edition, Packet, PacketState, Terms
from server.core.rooms import messages
from server.core.rooms.feed import FactKind
from tests.core.packets.test_lifecycle import END, GRAB, PACKET, WARMUP, a_packet, an_airing, proposed, spoken


def an_edited(*editions: Edition, ended_at_ms: int | None = None, state: PacketState = PacketState.LAUNCHED) -> Packet:
    """Return the packet after edits, with the shares that are left of each edition."""
    count = max(0, *(each.first_index + each.share_count for each in editions[-1:]), 0) if editions else 3
    return replace(
        a_packet(state),
        edition=1 + len(editions),
        editions=(Edition(1, 0, 3, 300, "c0ffee"), *editions),
        terms=Terms(Denomination.RANDOM, count, 100 * count, 1, 200),
        claimable_at_ms=GRAB + 2_000 if editions and editions[-1].share_count else None,
        ended_at_ms=ended_at_ms,
    )


UP, DOWN = Edition(2, 3, 2, 200, "beef"), Edition(2, 2, 0, 0, "")


@pytest.mark.rule("KS-EDT-1")
def test_added_shares_are_proposed_as_a_reopening_until_it_is_read_back() -> None:
    """It says since when and how many; read back it takes ``sold_out`` back and the screen has the new issuance."""
    lifecycle = an_airing("warmup", "open", "sold_out")
    lifecycle.looked_up(an_edited(UP), GRAB + 5)
    [effect] = [each for each in lifecycle.wake(GRAB + 5) if isinstance(each, Propose)]
    body = effect.cue.body
    assert (effect.cue.kind, effect.cue.packet_id, effect.cue.edition) == ("reopened", PACKET, "2")
    assert (body["at_ms"], body["edition"], body["share_count"], body["commitment"]) == (GRAB + 2_000, 2, 5, "beef")
    lifecycle.looked_up(an_edited(UP), GRAB + 6)
    assert proposed(lifecycle.wake(GRAB + 6)) == []

    lifecycle.reissued(body)
    lifecycle.published(FactKind.REOPENED, GRAB + 7)
    screen = lifecycle.on_screen()
    assert screen is not None
    assert (screen["edition"], screen["share_count"], screen["sold_out"]) == (2, 5, False)
    assert CountShares(PACKET) in lifecycle.wake(GRAB + 7)


@pytest.mark.rule("KS-EDT-1")
def test_a_count_says_when_the_shares_of_an_increase_can_be_claimed() -> None:
    """Until then the count names the instant, because a grab is ``exhausted``; from then on it is the number alone."""
    lifecycle = an_airing("warmup", "open", "sold_out")
    lifecycle.looked_up(an_edited(UP), GRAB + 5)
    lifecycle.reissued(messages.issuance(an_edited(UP), GRAB + 5))
    lifecycle.published(FactKind.REOPENED, GRAB + 7)
    told = [spoken(lifecycle.counted(left, at_ms)) for left, at_ms in ((2, GRAB + 1_999), (1, GRAB + 2_000))]
    assert [message for (message,) in told] == [
        {"type": "progress", "packet_id": PACKET, "remaining": 2, "claimable_at_ms": GRAB + 2_000},
        {"type": "progress", "packet_id": PACKET, "remaining": 1},
    ]


def test_a_decrease_is_counted_and_not_told() -> None:
    """The screen has the new issuance, and only the remaining count is published."""
    lifecycle = an_airing("warmup", "open")
    lifecycle.looked_up(an_edited(DOWN), GRAB + 5)
    assert lifecycle.wake(GRAB + 5) == [CountShares(PACKET)]
    assert (lifecycle.on_screen() or {})["share_count"] == 2


def test_an_edit_before_the_warm_up_is_in_what_the_warm_up_says() -> None:
    """A refused warm-up is proposed again at once, with the edition that the store has."""
    lifecycle = an_airing()
    lifecycle.wake(WARMUP)
    lifecycle.looked_up(an_edited(UP), WARMUP + 1)
    [effect] = lifecycle.wake(WARMUP + 1)
    assert isinstance(effect, Propose)
    assert (effect.cue.kind, effect.cue.edition) == ("warmup", "2")


@pytest.mark.rule("KS-END-1")
@pytest.mark.parametrize("told", [("warmup",), ("warmup", "open"), ("warmup", "open", "sold_out")])
def test_an_ended_packet_is_closed_at_once(told: tuple[str, ...]) -> None:
    """The room publishes closed with its reason, whatever came before, and then the result."""
    lifecycle = an_airing(*told)
    lifecycle.looked_up(an_edited(ended_at_ms=GRAB + 5, state=PacketState.SETTLED), GRAB + 5)
    [effect] = lifecycle.wake(GRAB + 5)
    assert isinstance(effect, Propose)
    assert (effect.cue.kind, effect.cue.body["reason"]) == ("closed", "ended")
    lifecycle.published(FactKind.CLOSED, GRAB + 6)
    assert lifecycle.wake(GRAB + 6) == [Settle(PACKET)]


def test_what_ended_before_the_room_knew_of_it_never_was() -> None:
    """Nothing is published of a packet that ended before its warm-up."""
    lifecycle = an_airing()
    lifecycle.looked_up(an_edited(ended_at_ms=WARMUP - 5, state=PacketState.SETTLED), WARMUP - 5)
    assert lifecycle.ended
    assert lifecycle.wake(END) == []
