"""Stretched scenarios: more copies in the same times, and nothing else changes."""

import pytest

from loadtest.scenarios.crowd_scenario import BadScenario, scenario_text
from loadtest.scenarios.stretched import DURATION_S_MAX, duration_s, stretched
from loadtest.scenarios.target_scenario import scenario_of
from tests.loadtest.scenarios.test_scenario import GOOD

TAPS = '\n[taps]\nmodel = "open"\nrate_per_second = 5\nlasts_ms = 1_000  # a second\n'
MORE = GOOD.replace('"one"', '"two"').partition("[[packets]]")[2]
SERIES = GOOD + "copies = 3\nevery_ms = 2_000\n[[packets]]" + MORE + "[[packets]]" + MORE.replace('"two"', '"three"')


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1_800), ("1.5h", 5_400), (" 1s ", 1), ("12h", 43_200)]
)
def test_a_duration_has_a_unit(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds <= DURATION_S_MAX


@pytest.mark.parametrize("text", ["", "90", "90 s", "0s", "-5m", "13h", "1d", "manys", "1e3s", "红包"])
def test_another_duration_is_refused(text: str) -> None:
    with pytest.raises(BadScenario, match="duration: must be like 90s, 30m or 2h"):
        duration_s(text)


def test_series_go_on_for_as_long() -> None:
    """By their own distance and the speed; what happens once happens once, and taps last as long."""
    longer = stretched("speed = 10\n" + SERIES + TAPS, "mine", 60)
    read = scenario_of(longer, "mine")
    assert [each.name for each in read.packets][-3:] == ["one 300", "two", "three"]  # type: ignore[union-attr]
    assert read.taps is not None
    assert read.taps.lasts_ms == 60_000
    assert "lasts_ms = 60000  # a second\n" in longer


def test_a_short_one_still_has_copies() -> None:
    """One copy would have another name, and faults may name it."""
    assert "copies = 2\n" in stretched(SERIES, "mine", 1)


def test_a_scenario_without_series_cannot_be_longer() -> None:
    with pytest.raises(BadScenario, match="duration: mine has no packets with copies"):
        stretched(GOOD, "mine", 60)


def test_the_soak_can_be_of_any_length() -> None:
    """Its series end together, whatever is asked for."""
    for seconds in (30, 3_600):
        read = scenario_of(stretched(scenario_text("soak"), "soak", seconds), "soak")
        last_ms = max(at_ms for at_ms, _ in read.openings())
        assert seconds * 1000 - 10_000 <= last_ms <= seconds * 1000 + 20_000
