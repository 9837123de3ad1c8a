"""Every scenario has an audience that can be changed at the command line, and what is expected of the run."""

from collections import Counter
from pathlib import Path

import pytest

from client_sim.behaviour import Behaviour
from loadtest.scenarios.crowd_scenario import AudienceSpec, BadScenario, scenario_text, shipped_names, toml_table
from tests.loadtest.targets.described import HTTP, scenario


def test_an_audience_has_somebody_in_it() -> None:
    with pytest.raises(ValueError, match=r"mix\.bot\n.*greater than or equal to 0"):
        AudienceSpec.model_validate({"viewers": 1, "mix": {"eager": 2, "bot": -1}})
    for mix in ({}, {"eager": 0}):
        with pytest.raises(ValueError, match="mix needs at least one behaviour with a weight above 0"):
            AudienceSpec.model_validate({"viewers": 1, "mix": mix})


def test_a_viewer_with_two_devices_has_two_seats() -> None:
    crowd = scenario(HTTP, audience={"viewers": 100, "mix": {"two_devices": 0.5, "eager": 0.5}})
    seats = list(crowd.seats())
    per_viewer = Counter(seat.viewer_id for seat in seats)
    assert len(per_viewer) == 100
    assert set(per_viewer.values()) == {1, 2}
    assert {seat.behaviour for seat in seats if seat.device == 1} == {Behaviour.TWO_DEVICES}


def test_the_same_scenario_before_another_audience() -> None:
    changed = scenario(HTTP).before(viewers=7, seed=9, reaction_median_ms=11)
    assert (changed.audience.viewers, changed.seed, changed.audience.reaction_median_ms) == (7, 9, 11)
    assert changed.target == scenario(HTTP).target
    with pytest.raises(BadScenario, match=r"theirs: audience\.viewers"):
        scenario(HTTP).before(viewers=0)


def test_what_is_expected_of_a_run_is_checked_before_it() -> None:
    with pytest.raises(ValueError, match="nothing_like_that is unknown; there are"):
        scenario(HTTP, sometimes=["nothing_like_that"])
    with pytest.raises(ValueError, match=r"thresholds\.grab_latency_ms: "):
        scenario(HTTP, thresholds={"grab_latency_ms": ["p(99) less than 50"]})
    parsed = scenario(HTTP, thresholds={"grab_latency_ms": ["p(99) < 50", "p(50) < 5"]}).parsed_thresholds
    assert len(parsed) == 2


def test_a_scenario_is_a_shipped_name_or_a_file(tmp_path: Path) -> None:
    assert {"smoke", "stampede"} <= set(shipped_names())
    with pytest.raises(BadScenario, match="no such scenario; shipped are"):
        scenario_text("nothing")
    with pytest.raises(BadScenario, match=r"gone\.toml: cannot be read"):
        scenario_text(str(tmp_path / "gone.toml"))
    with pytest.raises(BadScenario, match="mine: not TOML"):
        toml_table("mine", "[a")


def test_a_threshold_may_end_the_run_after_a_delay() -> None:
    """As a table beside plain ones; a scenario that is changed for another audience keeps it."""
    given = {"grab_latency_ms": ["p(99) < 50", {"threshold": "max < 99", "abort_after_s": 2.5}, {"threshold": "avg<9"}]}
    read = scenario(HTTP, thresholds=given).before(viewers=3)
    assert [each.abort_after_s for each in read.parsed_thresholds] == [None, 2.5, 0]
    for bad, said in (
        ({"threshold": "max < 9", "abort_afer_s": 2}, "abort_afer_s"),
        ({"threshold": "max < 9", "abort_after_s": -1}, "greater than or equal to 0"),
        ({"threshold": "max << 9"}, r"thresholds\.grab_latency_ms: 'max << 9': expected"),
    ):
        with pytest.raises(ValueError, match=said):
            scenario(HTTP, thresholds={"grab_latency_ms": [bad]})
    with pytest.raises(ValueError, match=r"thresholds\.start_skew_ms: .* known only after the run"):
        scenario(HTTP, thresholds={"start_skew_ms": [{"threshold": "max < 9"}]})
