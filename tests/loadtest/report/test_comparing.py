"""The words of a comparison: nothing is shown of pairs that there were not."""

from loadtest.report.comparing import change_text, leg_text
from tests.loadtest.report.gate_kinds import comparison


def test_figures_are_shown_as_far_as_there_are_pairs() -> None:
    """With an interval where there is one, without where there are too few pairs, and not at all without any."""
    many, few, none = (comparison(0.1, 0.0, pairs)["metrics"][0] for pairs in (8, 2, 0))
    assert change_text(many).startswith("+10.0% (")
    assert change_text(few) == "+10.0%"
    assert (change_text(none), leg_text(none, "base")) == ("-", "-")
    assert leg_text(many, "base") == "31.00"
