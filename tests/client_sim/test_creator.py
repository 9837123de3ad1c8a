"""A creator's programme: everything in its time, and at one instant in the order of the packets."""

from dataclasses import replace

import pytest

from client_sim.creator import PlannedEdit, PlannedPacket, programme

PLANNED = PlannedPacket(
    number=0,
    name="rain",
    creator_id="anna",
    room_id="r1",
    platform="lab",
    denomination="random",
    share_count=10,
    total_fen=1000,
    min_share_fen=1,
    max_share_fen=None,
    mode="relative",
    launch_at_ms=0,
    delay_ms=1000,
    warmup_at_ms=None,
    grab_at_ms=None,
    claim_window_ms=None,
    void_at_ms=None,
)


def test_steps_come_in_order_of_time() -> None:
    """Launches and voids of all packets are one sequence."""
    first = replace(PLANNED, number=0, launch_at_ms=500, void_at_ms=900)
    second = replace(PLANNED, number=1, launch_at_ms=100, void_at_ms=700)
    steps = programme([first, second])
    assert [(step.at_ms, step.action, step.packet.number) for step in steps] == [
        (100, "launch", 1),
        (500, "launch", 0),
        (700, "void", 1),
        (900, "void", 0),
    ]


def test_at_one_instant_the_order_is_that_of_the_packets() -> None:
    """However the packets are handed in, and a launch comes before a void of the same packet."""
    packets = [replace(PLANNED, number=number, void_at_ms=0) for number in (2, 0, 1)]
    steps = programme(packets)
    assert [step.packet.number for step in steps] == [0, 0, 1, 1, 2, 2]
    assert [step.action for step in steps] == ["launch", "void"] * 3


def test_a_packet_that_is_not_voided_has_one_step() -> None:
    """Nothing is done that nobody planned."""
    (step,) = programme([PLANNED])
    assert (step.action, step.packet) == ("launch", PLANNED)
    assert programme([]) == []


def test_edits_and_an_end_are_steps_too() -> None:
    """At one instant a packet is launched, edited, and then over."""
    edits = (PlannedEdit(0, 20), PlannedEdit(300, 15, "KS-EDT-1"))
    steps = programme([replace(PLANNED, edits=edits, end_at_ms=300, expect_end="KS-END-1")])
    assert [(step.at_ms, step.action, step.edit) for step in steps] == [
        (0, "launch", None),
        (0, "edit", edits[0]),
        (300, "edit", edits[1]),
        (300, "end", None),
    ]
    assert [step.expected_rule for step in steps] == ["", "", "KS-EDT-1", "KS-END-1"]


@pytest.mark.parametrize(("action", "rule"), [("launch", "DY-BLK-1"), ("void", "DY-VOI-2")])
def test_a_step_knows_which_rule_is_to_refuse_it(action: str, rule: str) -> None:
    """Launch and void have separate expectations."""
    steps = programme([replace(PLANNED, void_at_ms=5, expect="DY-BLK-1", expect_void="DY-VOI-2")])
    assert [step.expected_rule for step in steps if step.action == action] == [rule]
