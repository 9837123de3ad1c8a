"""The needs of an audience are computed before it starts."""

import math
from random import Random

import pytest

from client_sim.behaviour import Behaviour, taps
from loadtest.run.preflight import (
    DESCRIPTORS_BESIDE,
    SEATS_PER_ADDRESS,
    TAPS_PER_SECOND,
    USABLE,
    lacking_ports,
    needs,
    planned_taps_per_second,
    reaction_for,
    taps_bearable,
)
from loadtest.scenarios.scenario import Scenario, load_scenario

STAMPEDE = load_scenario("stampede")


def stampede(viewers: int, reaction_median_ms: int = 400, mix: dict[Behaviour, float] | None = None) -> Scenario:
    plain = STAMPEDE.model_dump()
    plain["audience"] |= {"viewers": viewers, "reaction_median_ms": reaction_median_ms}
    plain["audience"]["mix"] = mix or {Behaviour.EAGER: 1.0}
    return Scenario.model_validate(plain)


@pytest.mark.parametrize(
    ("seats", "cores", "processes"), [(1, 2, 1), (5_000, 2, 1), (5_001, 2, 2), (18_000, 2, 2), (18_000, 8, 4)]
)
def test_a_swarm_has_a_process_for_so_many_seats_and_core(seats: int, cores: int, processes: int) -> None:
    """One for each five thousand seats, but no more than there are cores."""
    assert needs(seats, engine="swarm", processes=None, cores=cores, own_server=False).processes == processes


def test_descriptors_are_those_of_the_fullest_process() -> None:
    """A server of the storm's own holds every connection; before somebody else's only the parts count."""
    own = needs(9_000, engine="swarm", processes=3, cores=8, own_server=True)
    theirs = needs(9_001, engine="swarm", processes=3, cores=8, own_server=False)
    assert own.descriptors == 9_000 + DESCRIPTORS_BESIDE
    assert theirs.descriptors == 3_001 + DESCRIPTORS_BESIDE
    assert needs(9_000, engine="locust", processes=None, cores=8, own_server=False).processes == 1


def test_ports_run_out_for_one_address_only() -> None:
    """Locust has one address; a swarm on the same machine takes several; a far server is another matter."""
    assert lacking_ports(SEATS_PER_ADDRESS, engine="locust", local=True) == ""
    assert "--engine swarm" in lacking_ports(SEATS_PER_ADDRESS + 1, engine="locust", local=True)
    assert lacking_ports(2 * SEATS_PER_ADDRESS, engine="swarm", local=True) == ""
    assert "several machines" in lacking_ports(2 * SEATS_PER_ADDRESS, engine="swarm", local=False)


def test_the_planned_rate_is_where_reactions_are_densest() -> None:
    """The formula agrees with a count of drawn reactions: the fullest hundredth of the median's width."""
    viewers = 50_000
    drawn = [taps(Behaviour.EAGER, Random(seed), 400)[0].offset_ms for seed in range(viewers)]
    width_ms = 40
    fullest = max(sum(1 for each in drawn if at <= each < at + width_ms) for at in range(100, 600, 10))
    assert planned_taps_per_second(stampede(viewers)) == pytest.approx(fullest / width_ms * 1000, rel=0.05)


def test_double_tappers_count_twice_and_watchers_not_at_all() -> None:
    """A rate is made of taps, not of people."""
    once = planned_taps_per_second(stampede(100))
    assert planned_taps_per_second(stampede(100, mix={Behaviour.DOUBLE_TAPPER: 1.0})) == pytest.approx(2 * once)
    assert planned_taps_per_second(stampede(100, mix={Behaviour.WATCHER: 1.0})) == 0


def test_rooms_that_open_together_count_together() -> None:
    """Forty rooms one after the other are fewer taps at once than their whole audience's."""
    rooms = load_scenario("many-rooms")
    whole = sum(1 for seat in rooms.seats() if seat.behaviour is not Behaviour.WATCHER)
    density = math.exp(0.125) / (0.3 * 0.5 * math.sqrt(2 * math.pi))
    assert 0 < planned_taps_per_second(rooms) < whole * density / 4


def test_a_crowd_that_is_too_quick_is_slowed_down_just_enough() -> None:
    """The raised median plans what the generator can do, and a smaller crowd keeps its own."""
    can = USABLE * TAPS_PER_SECOND["locust"]
    assert reaction_for(stampede(100), taps_bearable("locust", 1, None)) == 400
    for median_ms in (0, 400):
        raised = reaction_for(stampede(20_000, median_ms), taps_bearable("locust", 1, None))
        assert raised > 400
        assert planned_taps_per_second(stampede(20_000, raised)) == pytest.approx(can, rel=0.01)
    assert reaction_for(stampede(20_000), taps_bearable("swarm", 4, None)) == 400
