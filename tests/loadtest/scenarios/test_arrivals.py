"""The tables of arrival models: what each takes, and the sentence for every key that does not belong."""

import pytest

from client_sim.arrivals import ArrivalModel, Arrivals
from loadtest.scenarios.crowd_scenario import BadScenario
from loadtest.scenarios.target_scenario import scenario_of

REST = """
[[creators]]
creator_id = "anna"
recharge_fen = 1_000_000
[[rooms]]
room_id = "hall"
creator_id = "anna"
[[packets]]
name = "drop"
room_id = "hall"
share_count = 10
total_fen = 1_000
launch_at_ms = 0
delay_ms = 1_000
claim_window_ms = 3_000
"""
OURS = 'name = "a"\n[audience]\nviewers = 60\n{audience}\n[taps]\n{taps}\n' + REST


def taps(lines: str) -> Arrivals:
    scenario = scenario_of(OURS.format(taps=lines, audience=""), "a.toml")
    assert scenario.taps is not None
    return scenario.taps.arrivals


def test_every_model_can_be_said() -> None:
    """Rates are those of all viewers together, times are real."""
    assert taps('model = "open"\nrate_per_second = 12_000\nlasts_ms = 60_000') == Arrivals(
        ArrivalModel.OPEN, 12_000, 12_000, 60
    )
    assert taps('model = "ramp"\nfrom_per_second = 0\nto_per_second = 0.5\nlasts_ms = 1') == Arrivals(
        ArrivalModel.RAMP, 0, 0.5, 0.001
    )
    assert taps('model = "closed"\nthink_ms = 0\nlasts_ms = 1_000').think_ms == 0
    assert taps('model = "barrier"\nspread_ms = 2.5').spread_ms == 2.5


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("rate_per_second = 5", "a.toml:5: taps.model: Field required"),
        ('model = "poisson"', "a.toml:6: taps.model: Input should be 'closed', 'open', 'ramp' or 'barrier'"),
        (
            'model = "open"\nlasts_ms = 1',
            'taps.rate_per_second: is missing: model = "open" takes rate_per_second and lasts_ms',
        ),
        ('model = "open"\nrate_per_second = 1', "taps.lasts_ms: is missing"),
        ('model = "open"\nrate_per_second = 1\nlasts_ms = 1\nthink_ms = 1', "a.toml:9: taps.think_ms: does not belong"),
        (
            'model = "open"\nrate_per_second = 0\nlasts_ms = 1',
            "a.toml:7: taps.rate_per_second: Input should be greater",
        ),
        ('model = "open"\nrate_per_second = inf\nlasts_ms = 1', "taps.rate_per_second: Input should be"),
        ('model = "open"\nrate_per_second = nan\nlasts_ms = 1', "taps.rate_per_second: Input should be"),
        (
            'model = "open"\nrate_per_second = "many"\nlasts_ms = 1',
            "taps.rate_per_second: Input should be a valid number",
        ),
        ('model = "open"\nrate_per_second = 10_000_001\nlasts_ms = 1', "taps.rate_per_second: Input should be less"),
        ('model = "open"\nrate_per_second = 1\nlasts_ms = 0', "taps.lasts_ms: Input should be greater than 0"),
        ('model = "open"\nrate_per_second = 1\nlasts_ms = 86_400_001', "taps.lasts_ms: Input should be less"),
        (
            'model = "ramp"\nfrom_per_second = -1\nto_per_second = 2\nlasts_ms = 1',
            "taps.from_per_second: Input should be",
        ),
        ('model = "ramp"\nto_per_second = 2\nlasts_ms = 1', "taps.from_per_second: is missing"),
        ('model = "ramp"\nfrom_per_second = 2\nto_per_second = 2\nlasts_ms = 1', "taps.to_per_second: must differ"),
        ('model = "ramp"\nfrom_per_second = 1\nto_per_second = 2', "taps.lasts_ms: is missing"),
        ('model = "closed"\nlasts_ms = 1', "taps.think_ms: is missing"),
        ('model = "closed"\nthink_ms = -1\nlasts_ms = 1', "taps.think_ms: Input should be greater than or equal to 0"),
        ('model = "closed"\nthink_ms = 1', "taps.lasts_ms: is missing"),
        ('model = "closed"\nthink_ms = 1\nlasts_ms = 1\nspread_ms = 1', "taps.spread_ms: does not belong here"),
        ('model = "barrier"', 'taps.spread_ms: is missing: model = "barrier" takes spread_ms'),
        ('model = "barrier"\nspread_ms = -0.1', "taps.spread_ms: Input should be greater than or equal to 0"),
        ('model = "barrier"\nspread_ms = 1\nlasts_ms = 9', "taps.lasts_ms: does not belong here"),
        ('model = "open"\nrate = 1', "taps.rate: Extra inputs are not permitted"),
    ],
)
def test_a_key_that_does_not_fit_is_named_with_the_rule(lines: str, said: str) -> None:
    """The line, the key, and what the model takes."""
    with pytest.raises(BadScenario) as bad:
        taps(lines)
    assert said in str(bad.value)


@pytest.mark.parametrize(
    ("lines", "seats", "takes_s"),
    [
        ('model = "open"\nrate_per_second = 20', 60, 3),
        ('model = "ramp"\nfrom_per_second = 0\nto_per_second = 20\nlasts_ms = 4_000', 60, 5),
        ('model = "ramp"\nfrom_per_second = 0\nto_per_second = 20\nlasts_ms = 40_000', 60, 40),
        ('model = "barrier"\nspread_ms = 500', 60, 0.5),
    ],
)
def test_viewers_may_come_by_a_model(lines: str, seats: int, takes_s: float) -> None:
    """It says how long the run waits for them; another number of viewers or another seed keeps it."""
    text = OURS.format(audience=f"[audience.arrivals]\n{lines}", taps='model = "barrier"\nspread_ms = 0')
    for scenario in (scenario_of(text, "a.toml"), scenario_of(text, "a.toml").before(seed=9, viewers=5)):
        assert scenario.audience.arrivals is not None
        assert scenario.audience.arrivals.takes_s(seats) == takes_s


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('model = "closed"', "audience.arrivals.model: Input should be 'open', 'ramp' or 'barrier'"),
        ('model = "open"', 'audience.arrivals.rate_per_second: is missing: model = "open" takes rate_per_second'),
        ('model = "open"\nrate_per_second = 1\nlasts_ms = 1', "audience.arrivals.lasts_ms: does not belong here"),
        ('model = "ramp"\nfrom_per_second = 3\nto_per_second = 0\nlasts_ms = 1', "to_per_second: Input should be"),
        ('model = "barrier"\nspread_ms = 1\n[audience.mix]\neager = 0', "audience: mix needs"),
    ],
)
def test_viewers_cannot_come_by_a_wrong_one(lines: str, said: str) -> None:
    """A ramp that ends at nothing would never bring the rest."""
    with pytest.raises(BadScenario) as bad:
        scenario_of(
            OURS.format(audience=f"[audience.arrivals]\n{lines}", taps='model = "barrier"\nspread_ms = 0'), "a.toml"
        )
    assert said in str(bad.value)


def test_viewers_come_in_one_way() -> None:
    """A constant rate and a model together are refused, at the line of the rate."""
    both = 'arrivals_per_second = 5\n[audience.arrivals]\nmodel = "open"\nrate_per_second = 5'
    with pytest.raises(BadScenario, match=r"a\.toml:4: audience\.arrivals_per_second: give either this or"):
        scenario_of(OURS.format(audience=both, taps='model = "barrier"\nspread_ms = 0'), "a.toml")
