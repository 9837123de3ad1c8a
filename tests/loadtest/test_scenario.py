"""Scenarios are data, checked when read, and a wrong one says where it is wrong."""

from pathlib import Path

import pytest

from client_sim.behaviour import Behaviour
from client_sim.creator import programme
from loadtest.director import planned_packets
from loadtest.scenario import BadScenario, Scenario, load_scenario, shipped_names

GOOD = """
name = "mine"

[audience]
viewers = 10

[[creators]]
creator_id = "anna"
recharge_fen = 1000

[[rooms]]
room_id = "r1"
creator_id = "anna"

[[packets]]
name = "one"
room_id = "r1"
share_count = 5
total_fen = 100
launch_at_ms = 0
delay_ms = 1000
"""


def _written(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text, "utf-8")
    return str(path)


@pytest.mark.parametrize("name", shipped_names())
def test_every_shipped_scenario_is_good(name: str) -> None:
    """What we ship must load, and its creators must be able to pay for its packets."""
    scenario = load_scenario(name)
    assert scenario.name == name
    hosts = {room.room_id: room.creator_id for room in scenario.rooms}
    for creator in scenario.creators:
        funded = sum(
            packet.sum_for(scenario.audience.viewers)
            for packet in scenario.packets
            if hosts[packet.room_id] == creator.creator_id
        )
        assert funded <= creator.recharge_fen


def test_the_evening_is_the_one_that_was_asked_for() -> None:
    """Three creators in three rooms, eight packets, warm-ups of 2 to 15 minutes, two overlapping in one room."""
    scenario = load_scenario("evening")
    assert len(scenario.creators) == len(scenario.rooms) == 3
    assert len(scenario.packets) == 8
    assert scenario.speed == 60
    assert scenario.audience.viewers >= 600
    assert {packet.denomination for packet in scenario.packets} == {"random", "fixed"}
    assert any(packet.void_at_ms is not None for packet in scenario.packets)
    warmups = [packet.delay_ms for packet in scenario.packets if packet.delay_ms is not None]
    assert (min(warmups), max(warmups)) == (120_000, 900_000)
    last_end_ms = max(
        (packet.grab_at_ms or packet.launch_at_ms + (packet.delay_ms or 0)) + (packet.claim_window_ms or 0)
        for packet in scenario.packets
    )
    assert last_end_ms / scenario.speed < 80_000
    spans = sorted(
        (packet.launch_at_ms, packet.launch_at_ms + packet.delay_ms + packet.claim_window_ms)
        for packet in scenario.packets
        if packet.room_id == "anna-live" and packet.delay_ms and packet.claim_window_ms
    )
    assert any(later[0] < earlier[1] for earlier, later in zip(spans, spans[1:], strict=False))


@pytest.mark.parametrize(
    ("change", "field", "line"),
    [
        (("viewers = 10", "viewers = 0"), "audience.viewers", 5),
        (("viewers = 10", "viewers = 10\nspectators = 3"), "audience.spectators", 6),
        (('room_id = "r1"\nshare', 'room_id = "r2"\nshare'), "packets.0.room_id", 17),
        (("share_count = 5", "share_count = 5\nshares_per_viewer = 1"), "packets.0", 15),
        (("delay_ms = 1000", ""), "packets.0", 15),
        (("total_fen = 100", 'total_fen = "much"'), "packets.0.total_fen", 19),
    ],
)
def test_a_bad_field_is_named_with_its_line(tmp_path: Path, change: tuple[str, str], field: str, line: int) -> None:
    """A person learns which field of which line breaks which rule."""
    path = _written(tmp_path, GOOD.replace(*change))
    with pytest.raises(BadScenario) as caught:
        load_scenario(path)
    assert str(caught.value).startswith(f"{path}:{line}: {field}: ")


@pytest.mark.parametrize("text", ["name = ", "[[packets]\n", GOOD.replace('name = "mine"', "")])
def test_what_is_no_scenario_is_refused(tmp_path: Path, text: str) -> None:
    """A file that is not TOML, or lacks what it must have, is a BadScenario and nothing else."""
    with pytest.raises(BadScenario):
        load_scenario(_written(tmp_path, text))


def test_an_unknown_name_lists_what_there_is() -> None:
    """Who mistypes a name sees the right ones."""
    with pytest.raises(BadScenario, match="evening"):
        load_scenario("evenign")


def test_the_audience_has_the_viewers_asked_for() -> None:
    """Seats are connections, viewers are people: a viewer with two devices has two seats and counts once."""
    scenario = load_scenario("evening").before(viewers=100)
    seats = list(scenario.seats())
    assert len({seat.viewer_id for seat in seats}) == 100
    two = [seat for seat in seats if seat.behaviour is Behaviour.TWO_DEVICES]
    assert len(two) == 2 * len({seat.viewer_id for seat in two}) > 0


def test_shares_follow_the_viewers(tmp_path: Path) -> None:
    """A stampede before twice the audience has twice the shares; a fixed count stays."""
    stampede = load_scenario("stampede").packets[0]
    assert (stampede.shares_for(1000), stampede.shares_for(2000)) == (100, 200)
    assert stampede.sum_for(2000) == 200 * 188
    mine = load_scenario(_written(tmp_path, GOOD))
    assert mine.packets[0].shares_for(7) == 5


def test_a_programme_is_in_order_of_time() -> None:
    """Creators do one thing after the other; a void comes after its launch."""
    scenario: Scenario = load_scenario("evening")
    steps = programme(planned_packets(scenario, 600))
    assert [step.at_ms for step in steps] == sorted(step.at_ms for step in steps)
    voided = [step for step in steps if step.action == "void"]
    assert len(steps) == 9
    assert voided[0].at_ms > voided[0].packet.launch_at_ms
