"""A packet's life: half-open windows, and no way back from an end."""

from dataclasses import replace

import pytest

from server.core.ids import CreatorId, PacketId, RoomId
from server.core.packets.packet import (
    ACTIVITIES,
    TRANSITIONS,
    Denomination,
    Packet,
    PacketState,
    Phase,
    Schedule,
    Terms,
)

DRAFT = Packet(
    packet_id=PacketId("lin.p1"),
    creator_id=CreatorId("lin"),
    name="rain",
    platform="lab",
    terms=Terms(Denomination.RANDOM, 10, 1_000, 1, 200),
    state=PacketState.DRAFT,
    edition=1,
    commitment="",
)
LAUNCHED = replace(DRAFT, state=PacketState.LAUNCHED, room_id=RoomId("r1"), schedule=Schedule(1_000, 2_000, 3_000))


@pytest.mark.parametrize(
    ("now_ms", "phase"),
    [
        (999, Phase.SCHEDULED),
        (1_000, Phase.WARMING),
        (1_999, Phase.WARMING),
        (2_000, Phase.GRABBING),
        (2_999, Phase.GRABBING),
        (3_000, Phase.CLAIM_CLOSED),
    ],
)
def test_a_launched_packet_changes_phase_on_the_millisecond(now_ms: int, phase: Phase) -> None:
    """Every window holds its first millisecond and not its last."""
    assert LAUNCHED.phase_at(now_ms) is phase


@pytest.mark.parametrize(
    ("state", "phase"),
    [
        (PacketState.DRAFT, Phase.DRAFT),
        (PacketState.SETTLED, Phase.SETTLED),
        (PacketState.VOIDED, Phase.VOIDED),
    ],
)
def test_other_states_are_their_own_phase_at_any_time(state: PacketState, phase: Phase) -> None:
    """Before a launch and after an end the schedule says nothing."""
    assert {replace(LAUNCHED, state=state).phase_at(now_ms) for now_ms in (0, 1_500, 2_500, 9_999)} == {phase}


def test_a_warm_up_may_be_empty() -> None:
    """A packet launched by hand goes straight to grabbing (KS-LAU-2)."""
    packet = replace(LAUNCHED, schedule=Schedule(2_000, 2_000, 3_000))
    assert packet.phase_at(1_999) is Phase.SCHEDULED
    assert packet.phase_at(2_000) is Phase.GRABBING


@pytest.mark.rule("DY-LAU-7")
@pytest.mark.parametrize("instants", [(2_001, 2_000, 3_000), (1_000, 3_000, 3_000), (1_000, 3_001, 3_000)])
def test_a_schedule_out_of_order_is_none(instants: tuple[int, int, int]) -> None:
    """Warm-up, opening and end come in this order, and the grab window is not empty."""
    with pytest.raises(AssertionError):
        Schedule(*instants)


def test_settled_and_voided_are_ends() -> None:
    """Nothing leads out of an end; a draft comes there only by being ended or voided."""
    assert set(TRANSITIONS) == set(PacketState)
    assert set(TRANSITIONS[PacketState.DRAFT]) == {PacketState.LAUNCHED, PacketState.SETTLED, PacketState.VOIDED}
    assert TRANSITIONS[PacketState.SETTLED] == TRANSITIONS[PacketState.VOIDED] == frozenset()


@pytest.mark.rule("KS-UI-2")
def test_every_phase_has_its_activity_state() -> None:
    """A packet is pending until it opens, active while it is grabbed, and ended from then on."""
    assert {phase.value: ACTIVITIES[phase].value for phase in Phase} == {
        **dict.fromkeys(("draft", "scheduled", "warming"), "pending"),
        "grabbing": "active",
        **dict.fromkeys(("claim_closed", "settled", "voided"), "ended"),
    }
