"""Preflight: computes what an audience needs of the machine and of its generator, before anything starts."""

import math
from dataclasses import dataclass

from client_sim.behaviour import REACTION_SIGMA, Behaviour
from loadtest.scenarios.crowd_scenario import CrowdScenario
from server.core.ids import RoomId

SEATS_PER_PROCESS = 5_000  # of a swarm: a load that leaves a core time to spare
SEATS_PER_ADDRESS = 25_000  # one pair of addresses has 28,000 ports, of which some are taken
DESCRIPTORS_BESIDE = 200  # descriptors of a process besides one for each connection
TAPS_PER_SECOND = {"locust": 8_000, "swarm": 20_000}  # of one process with its history, measured on one core
USABLE = 0.6  # fraction of that; above it the generator queues, and would measure its own queue

_TAPS = {
    Behaviour.EAGER: 1,
    Behaviour.DOUBLE_TAPPER: 2,
    Behaviour.TWO_DEVICES: 1,
    Behaviour.FLAKY: 1,
    Behaviour.SLOW_READER: 1,
    Behaviour.COMMENTER: 1,
}
"""The taps of one seat that come a reaction time after the opening."""


@dataclass(frozen=True, slots=True)
class Needs:
    """The needs of a storm: seats, generator processes, and the most descriptors of any of its processes."""

    seats: int
    processes: int
    descriptors: int


def needs(seats: int, *, engine: str, processes: int | None, cores: int, own_server: bool) -> Needs:
    """Return the needs of an audience of *seats*; *processes* None chooses their number. Locust has one."""
    if engine == "locust":
        processes = 1
    elif processes is None:
        processes = max(1, min(cores, -(-seats // SEATS_PER_PROCESS)))
    of_one = seats if own_server else -(-seats // processes)
    return Needs(seats, processes, of_one + DESCRIPTORS_BESIDE)


def lacking_ports(seats: int, *, engine: str, local: bool) -> str:
    """Return why there are too few ports for *seats*, or nothing. A swarm takes several addresses of this machine."""
    if seats <= SEATS_PER_ADDRESS or (engine == "swarm" and local):
        return ""
    way_out = "use --engine swarm" if local else "run the audience on several machines"
    return f"{seats} connections need more ports than one address has ({SEATS_PER_ADDRESS} of them): {way_out}"


def planned_taps_per_second(scenario: CrowdScenario) -> float:
    """
    Return the highest rate of taps that the scenario plans, where reactions are densest.

    Packets that open within one reaction time of each other count together. Taps before and after the window, and
    bots, are not counted: no reaction time moves them. Where a model says when viewers tap, it is the model's rate.
    """
    if scenario.taps is not None:
        return scenario.taps.most_per_second
    return _density(scenario, _crowd(scenario))


def taps_bearable(engine: str, processes: int, max_rate: float | None) -> float:
    """Return the most taps a second, by the generator's capacity and the target's limit."""
    can = USABLE * TAPS_PER_SECOND[engine] * processes
    return can if max_rate is None else min(can, max_rate)


def reaction_for(scenario: CrowdScenario, can: float) -> int:
    """Return a median reaction (ms) that plans at most *can* taps a second: the scenario's own if possible."""
    if scenario.taps is not None:
        return scenario.audience.reaction_median_ms
    planned = _density(scenario, _crowd(scenario))
    median_ms = max(1, scenario.audience.reaction_median_ms)
    return scenario.audience.reaction_median_ms if planned <= can else math.ceil(median_ms * planned / can)


def _density(scenario: CrowdScenario, taps: int) -> float:
    """Return the peak of *taps* log-normal reactions, per second."""
    median_s = max(1, scenario.audience.reaction_median_ms) / 1000
    return taps * math.exp(REACTION_SIGMA**2 / 2) / (median_s * REACTION_SIGMA * math.sqrt(2 * math.pi))


def _crowd(scenario: CrowdScenario) -> int:
    """Return the most taps that are planned for the same opening."""
    of_room: dict[RoomId, int] = {}
    for seat in scenario.seats():
        of_room[seat.room_id] = of_room.get(seat.room_id, 0) + _TAPS.get(seat.behaviour, 0)
    openings = sorted((opens_ms, of_room.get(room_id, 0)) for opens_ms, room_id in scenario.openings())
    together_ms = scenario.audience.reaction_median_ms
    most = oldest = at_once = 0
    for newest_ms, taps in openings:
        at_once += taps
        while openings[oldest][0] < newest_ms - together_ms:
            at_once -= openings[oldest][1]
            oldest += 1
        most = max(most, at_once)
    return most
