"""Fairness: rates by what might have made a difference."""

import pytest

from loadtest.verdict.fairness import fairness, ks_distance, ks_limit
from tests.loadtest.written_run import a_run


def test_the_distance_of_two_samples() -> None:
    """Nothing between equal ones, everything between separate ones, ties in one step."""
    assert ks_distance([1, 2, 3], [1, 2, 3]) == pytest.approx(0)
    assert ks_distance([1, 2], [3, 4]) == pytest.approx(1)
    assert ks_distance([1, 1, 2, 2], [1, 2, 2, 2]) == pytest.approx(0.25)
    assert ks_distance([], [1]) == 0
    assert ks_limit(100, 100) == pytest.approx(0.2302, abs=1e-3)


def test_rates_are_per_viewer_and_packet() -> None:
    """Every group's rate is the share of its viewers that came to hold a share."""
    run = a_run(viewers=20)

    report = fairness(*run.read())

    tried = {(grab["packet"], grab["viewer"]) for grab in run.of("grab")}
    held = {(grab["packet"], grab["viewer"]) for grab in run.of("grab", type="ok")}
    assert report.by_room == {"r1": pytest.approx(len(held) / len(tried))}
    assert report.by_process == {"0": pytest.approx(len(held) / len(tried))}
    assert len(report.by_connection_order) == len(report.by_reaction) == 4
    assert 0 <= report.share_size_ks <= 1


def test_who_connected_first_and_won_all_shows() -> None:
    """A server that serves in order of connection has a first quarter of winners."""
    run = a_run(packets=1, viewers=8, share_count=8)
    winners = {grab["viewer"] for grab in run.of("grab", type="ok")}
    for number, conn in enumerate(run.of("conn")):
        conn["t_open"] = number + (0 if conn["viewer"] in winners else 1_000)

    report = fairness(*run.read())

    assert report.by_connection_order[0] == 1.0
    assert report.by_connection_order == sorted(report.by_connection_order, reverse=True)


def test_what_nobody_knows_has_no_rate() -> None:
    """Without the arrival of the opening there is no reaction time, and a rate of 0 would be made up."""
    run = a_run()
    run.history = [line for line in run.history if line["kind"] != "arrival"]
    assert fairness(*run.read()).by_reaction == []
