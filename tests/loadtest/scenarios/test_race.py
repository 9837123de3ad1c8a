"""Races as scenarios: every seed's is good, and a round of seeds covers the burst of taps."""

import math
from itertools import pairwise
from pathlib import Path

import pytest

from client_sim.behaviour import REACTION_SIGMA
from loadtest.scenarios.race import OPENS_MS, SEEDS, RaceKind, acts_at_ms, race_text
from loadtest.scenarios.scenario import PacketSpec, Scenario, load_scenario

ROUND = range(1, SEEDS + 1)


def race(folder: Path, kind: RaceKind, seed: int, viewers: int = 2_000) -> Scenario:
    path = folder / "race.toml"
    path.write_text(race_text(kind, seed, viewers), "utf-8")
    return load_scenario(str(path))


def packet_of(scenario: Scenario) -> PacketSpec:
    (packet,) = scenario.packets
    return packet


@pytest.mark.parametrize("kind", RaceKind)
@pytest.mark.parametrize("viewers", [10, 2_000])
def test_every_race_is_a_scenario(tmp_path: Path, kind: RaceKind, viewers: int) -> None:
    """It loads, its creator can pay for the packet and what is added, and it must have raced to mean something."""
    for seed in ROUND:
        scenario = race(tmp_path, kind, seed, viewers)
        packet = packet_of(scenario)
        most = max([packet.shares_for(viewers), *(edit.shares_of(packet.shares_for(viewers)) for edit in packet.edits)])
        assert most * (packet.mean_share_fen or 0) <= scenario.creators[0].recharge_fen
        assert (scenario.seed, scenario.audience.viewers, scenario.sometimes) == (seed, viewers, ["raced"])
        assert packet.platform == "lab"


@pytest.mark.parametrize("kind", RaceKind)
def test_a_round_covers_the_burst(tmp_path: Path, kind: RaceKind) -> None:
    """From just before the opening to past the peak of the reactions, always later, and not as late as the closing."""
    scenario = race(tmp_path, kind, 1)
    median_ms = scenario.audience.reaction_median_ms
    instants = [acts_at_ms(kind, seed) for seed in ROUND]
    assert all(earlier < later for earlier, later in pairwise(instants))
    assert -200 < instants[0] - OPENS_MS < 0 < instants[1] - OPENS_MS < median_ms / 3
    assert (
        median_ms * math.exp(-(REACTION_SIGMA**2))
        < instants[-1] - OPENS_MS
        < (packet_of(scenario).claim_window_ms or 0)
    )
    assert acts_at_ms(kind, SEEDS + 3) == acts_at_ms(kind, 3)


@pytest.mark.parametrize(
    ("kind", "steps"),
    [
        (RaceKind.UP, ["up"]),
        (RaceKind.DOWN, ["down"]),
        (RaceKind.VOID, ["void"]),
        (RaceKind.END, ["end"]),
        (RaceKind.MIXED, ["up", "down", "end"]),
    ],
)
def test_each_kind_does_its_own(tmp_path: Path, kind: RaceKind, steps: list[str]) -> None:
    """Up is up and down is down, from what the edit before has left."""
    for seed in ROUND:
        packet = packet_of(race(tmp_path, kind, seed))
        counts = [packet.shares_for(2_000), *(edit.shares_of(packet.shares_for(2_000)) for edit in packet.edits)]
        changes = [later - earlier for earlier, later in pairwise(counts)]
        found = ["up" if change > 0 else "down" for change in changes]
        found += ["void"] * (packet.void_at_ms is not None) + ["end"] * (packet.end_at_ms is not None)
        assert found == steps
        assert 0 not in changes


def test_a_decrease_is_close(tmp_path: Path) -> None:
    """Of three seeds in a row each leaves fewer shares than the one before, though more will be claimed by then."""
    counts = [packet_of(race(tmp_path, RaceKind.DOWN, seed)).edits[0].share_count or 0 for seed in (12, 13, 14)]
    assert counts == sorted(set(counts), reverse=True)
