"""A packet's time on the air, step by step, in room time."""

from typing import Any

import orjson
import pytest

from server.core.ids import CreatorId, PacketId, RequestId, RoomId, ViewerId
from server.core.packets.claim import Share
from server.core.packets.lifecycle import (
    BEST_LUCK_COUNT,
    CountShares,
    Effect,
    LookUp,
    PacketLifecycle,
    Propose,
    Publish,
    Settle,
    result_body,
)
from server.core.packets.packet import Denomination, Packet, PacketState, Schedule, Surface, Terms
from server.core.rooms.feed import FactKind

PACKET = PacketId("c1.p1")
WARMUP, GRAB, END = 100_000, 200_000, 300_000


def a_packet(state: PacketState = PacketState.LAUNCHED) -> Packet:
    return Packet(
        packet_id=PACKET,
        creator_id=CreatorId("c1"),
        name="rain",
        platform="lab",
        terms=Terms(Denomination.RANDOM, 3, 300, 1, 200),
        state=state,
        edition=1,
        commitment="c0ffee",
        surface=Surface.ASSET_WIDGET,
        room_id=RoomId("r1"),
        schedule=Schedule(WARMUP, GRAB, END),
    )


def an_airing(*told: str, real: int = 1, now_ms: int = GRAB) -> PacketLifecycle:
    lifecycle = PacketLifecycle.of(a_packet(), real)
    for kind in told:
        lifecycle.published(FactKind(kind), now_ms)
    return lifecycle


def proposed(effects: list[Effect]) -> list[str]:
    return [effect.cue.kind for effect in effects if isinstance(effect, Propose)]


def spoken(effects: list[Effect]) -> list[dict[str, Any]]:
    return [orjson.loads(effect.text) for effect in effects if isinstance(effect, Publish)]


@pytest.mark.parametrize(
    ("told", "due", "kind"),
    [((), WARMUP, "warmup"), (("warmup",), GRAB, "open"), (("warmup", "open"), END, "closed")],
)
def test_a_fact_is_proposed_at_its_time_and_not_before(told: tuple[str, ...], due: int, kind: str) -> None:
    """One millisecond early nothing is proposed; at the instant it is."""
    lifecycle = an_airing(*told)
    assert kind not in proposed(lifecycle.wake(due - 1))
    assert proposed(lifecycle.wake(due)) == [kind]


def test_facts_follow_each_other_only_as_read_back() -> None:
    """A process that comes late proposes the warm-up first, and the opening when the warm-up was read back."""
    lifecycle = an_airing()
    assert proposed(lifecycle.wake(GRAB + 5)) == ["warmup"]
    assert proposed(lifecycle.wake(GRAB + 6)) == []
    lifecycle.published(FactKind.WARMUP, GRAB + 7)
    assert proposed(lifecycle.wake(GRAB + 7)) == ["open"]


def test_a_proposal_without_an_echo_is_repeated_less_and_less_often() -> None:
    """A proposal that is not read back is retried after half a second, then twice as long, up to five seconds."""
    lifecycle = an_airing()
    asked = [now for now in range(WARMUP, WARMUP + 20_000, 10) if lifecycle.wake(now)]
    assert [now - WARMUP for now in asked] == [0, 500, 1_500, 3_500, 7_500, 12_500, 17_500]


def test_too_early_is_asked_again_soon() -> None:
    """If only the store's clock is behind, ten real milliseconds decide, not half a second."""
    lifecycle = an_airing(real=60)
    lifecycle.wake(WARMUP)
    assert lifecycle.turned_down(FactKind.WARMUP, too_early=True, now_ms=WARMUP) == []
    assert lifecycle.next_wakeup_ms() == WARMUP + 600


def test_a_refused_fact_has_the_packet_looked_at() -> None:
    """A no that is not about time means that something has happened to the packet."""
    lifecycle = an_airing("warmup")
    lifecycle.wake(GRAB)
    assert lifecycle.turned_down(FactKind.OPEN, too_early=False, now_ms=GRAB) == [LookUp(PACKET)]


def test_a_voided_packet_says_so_and_leaves() -> None:
    """Once the store says voided, that is proposed instead of all else, and read back it ends the lifecycle."""
    lifecycle = an_airing("warmup", "open")
    lifecycle.looked_up(a_packet(PacketState.VOIDED), GRAB + 1)
    assert proposed(lifecycle.wake(GRAB + 1)) == ["voided"]
    ended_before = lifecycle.ended
    lifecycle.published(FactKind.VOIDED, GRAB + 2)
    assert (ended_before, lifecycle.ended) == (False, True)
    assert lifecycle.on_screen() is None
    assert lifecycle.next_wakeup_ms() is None
    assert lifecycle.wake(END) == []


@pytest.mark.rule("DY-CLM-1")
@pytest.mark.parametrize("real", [1, 60])
def test_the_countdown_comes_at_real_seconds_and_says_room_time(real: int) -> None:
    """Countdowns are published real seconds before the opening, at any speed, with the room milliseconds left."""
    lifecycle = an_airing(real=real)
    opening = 10_000_000
    lifecycle = PacketLifecycle.of_warmup({**_screen(), "grab_at_ms": opening, "claim_end_at_ms": opening + 1}, real)
    lifecycle.published(FactKind.WARMUP, opening - 40_000 * real)
    told = []
    for left in range(40_000, 0, -100):
        told += [message["left_ms"] for message in spoken(lifecycle.wake(opening - left * real))]
    assert told == [left_ms * real for left_ms in (30_000, 10_000, 5_000, 3_000)]


@pytest.mark.rule("DY-CLM-1")
def test_a_late_wake_tells_one_countdown() -> None:
    """Missed countdowns are published once, with the time left now."""
    lifecycle = PacketLifecycle.of_warmup({**_screen(), "grab_at_ms": GRAB}, 1)
    lifecycle.published(FactKind.WARMUP, GRAB - 70_000)
    assert [message["left_ms"] for message in spoken(lifecycle.wake(GRAB - 4_000))] == [4_000]
    assert lifecycle.next_wakeup_ms() == GRAB - 3_000


def test_shares_are_counted_every_200_real_ms() -> None:
    """While the window is open the store is asked five times a second, never twice at once."""
    lifecycle = an_airing("warmup", "open", real=10)
    assert lifecycle.wake(GRAB + 1_999) == []
    assert lifecycle.wake(GRAB + 2_000) == [CountShares(PACKET)]
    assert lifecycle.wake(GRAB + 6_000) == []
    assert spoken(lifecycle.counted(2, GRAB + 6_100)) == [{"type": "progress", "packet_id": PACKET, "remaining": 2}]
    assert lifecycle.wake(GRAB + 6_100) == [CountShares(PACKET)]
    assert lifecycle.counted(2, GRAB + 6_200) == []


def test_a_packet_that_nobody_grabs_is_counted_ever_more_rarely() -> None:
    """A count without news doubles the pause, up to a second; a grab brings the pace back."""
    lifecycle = an_airing("warmup", "open")
    asked = []
    for now_ms in range(GRAB, GRAB + 5_000):
        if lifecycle.wake(now_ms):
            asked.append(now_ms - GRAB)
            lifecycle.counted(2, now_ms)
    assert asked == [200, 400, 800, 1_600, 2_600, 3_600, 4_600]
    lifecycle.note_activity()
    assert lifecycle.next_wakeup_ms() == GRAB + 4_800
    lifecycle.note_activity()
    assert lifecycle.next_wakeup_ms() == GRAB + 4_800


def test_a_count_that_is_never_answered_is_asked_again() -> None:
    """A lost answer delays the progress, it does not end it."""
    lifecycle = an_airing("warmup", "open")
    assert lifecycle.wake(GRAB + 200) == [CountShares(PACKET)]
    assert lifecycle.wake(GRAB + 2_199) == []
    assert lifecycle.wake(GRAB + 2_200) == [CountShares(PACKET)]


def test_sold_out_is_proposed_when_none_is_left() -> None:
    """A count of zero is proposed as a fact with the time it took, and told with it; counting then stops."""
    lifecycle = an_airing("warmup", "open")
    effects = lifecycle.counted(0, GRAB + 321) + lifecycle.wake(GRAB + 321)
    assert spoken(effects) == []
    [proposal] = [effect for effect in effects if isinstance(effect, Propose)]
    assert proposal.cue.body == {"packet_id": PACKET, "elapsed_ms": 321}
    lifecycle.published(FactKind.SOLD_OUT, GRAB + 330)
    assert lifecycle.next_wakeup_ms() == END


def test_a_quiet_packet_is_counted_along_with_others() -> None:
    """It is counted early, but neither before an interval has passed nor twice, and not long before it is due."""
    lifecycle = an_airing("warmup", "open")
    lifecycle.wake(GRAB + 200)
    for _ in range(3):  # nothing changes: 400, then 800 ms lie between the counts
        lifecycle.counted(5, GRAB + 200)
    assert lifecycle.count_along(GRAB + 399) == []
    assert lifecycle.count_along(GRAB + 799) == []
    assert lifecycle.count_along(GRAB + 800) == [CountShares(PACKET)]
    assert lifecycle.count_along(GRAB + 801) == []
    assert lifecycle.wake(GRAB + 1_000) == []


def test_somebody_who_missed_out_has_shares_counted_at_once() -> None:
    """The first refusal for lack of shares asks for a count, the next ones do not."""
    lifecycle = an_airing("warmup", "open")
    lifecycle.count_now(GRAB + 3)
    assert lifecycle.wake(GRAB + 3) == [CountShares(PACKET)]
    lifecycle.count_now(GRAB + 4)
    assert lifecycle.wake(GRAB + 4) == []


def test_closing_waits_for_sold_out() -> None:
    """Nothing but the result may follow ``closed``, so a sale that is being announced goes first."""
    lifecycle = an_airing("warmup", "open")
    lifecycle.counted(0, END - 1)
    assert proposed(lifecycle.wake(END)) == ["sold_out"]
    assert lifecycle.next_wakeup_ms() == END + 500
    lifecycle.turned_down(FactKind.SOLD_OUT, too_early=False, now_ms=END + 2)
    assert proposed(lifecycle.wake(END + 2)) == ["closed"]


def test_the_result_is_proposed_once_the_packet_is_settled() -> None:
    """After ``closed`` the packet is settled, and what is found is proposed until it is read back."""
    lifecycle = an_airing("warmup", "open", "closed", now_ms=END)
    assert lifecycle.wake(END) == [Settle(PACKET)]
    lifecycle.settled({"packet_id": PACKET}, END + 3)
    assert proposed(lifecycle.wake(END + 3)) == ["result"]
    assert proposed(lifecycle.wake(END + 503)) == ["result"]
    lifecycle.published(FactKind.RESULT, END + 504)
    assert lifecycle.ended


def test_a_packet_settled_by_others_has_its_result_read_at_once() -> None:
    """Hearing that the packet is settled cuts the wait for our own next attempt short."""
    lifecycle = an_airing("warmup", "open", "closed", now_ms=END)
    lifecycle.wake(END)
    assert lifecycle.wake(END + 5) == []
    lifecycle.looked_up(a_packet(PacketState.SETTLED), END + 5)
    assert lifecycle.wake(END + 5) == [Settle(PACKET)]


@pytest.mark.parametrize(
    ("told", "phase"),
    [
        (("warmup",), "warming"),
        (("warmup", "open"), "grabbing"),
        (("warmup", "open", "sold_out"), "grabbing"),
        (("warmup", "open", "closed"), "claim_closed"),
    ],
)
def test_the_screen_shows_the_phase_that_was_told(told: tuple[str, ...], phase: str) -> None:
    """A newcomer gets the published phase, not the one by the clock."""
    screen = an_airing(*told).on_screen()
    assert screen is not None
    assert screen["phase"] == phase
    assert screen["sold_out"] == ("sold_out" in told)
    assert "seed" not in screen


def test_a_packet_is_not_on_screen_before_its_warmup() -> None:
    """A launch is not published to viewers."""
    assert an_airing().on_screen() is None


def test_a_warmup_says_all_that_an_airing_needs() -> None:
    """A lifecycle made from a warm-up behaves like one made from the packet."""
    from_packet = an_airing("warmup", now_ms=WARMUP)
    from_fact = PacketLifecycle.of_warmup(_screen(), 1)
    from_fact.published(FactKind.WARMUP, WARMUP)
    assert from_fact.on_screen() == from_packet.on_screen()
    assert from_fact.surface == from_packet.surface
    assert from_fact.next_wakeup_ms() == from_packet.next_wakeup_ms()


def test_the_result_names_the_ten_best_and_the_earlier_of_equals() -> None:
    """Best luck is the largest amounts; among equal ones the share that was given first."""
    claims = {
        ViewerId(f"v{index}"): Share(index, 100 + (index % 3), 1, RequestId("q")) for index in reversed(range(40))
    }
    body = result_body(PACKET, claims, b"\xab\xcd")
    assert body["granted_count"] == 40
    assert body["seed"] == "abcd"
    assert len(body["best_luck"]) == BEST_LUCK_COUNT
    assert [(best["amount_fen"], best["index"]) for best in body["best_luck"]] == [(102, i) for i in range(2, 32, 3)]


def _screen() -> dict[str, Any]:
    effects = an_airing().wake(WARMUP)
    assert isinstance(effects[0], Propose)
    screen: dict[str, Any] = effects[0].cue.body["packet"]
    return screen
