"""Terms: their names are those of the result."""

from loadtest.verdict.threshold_grammar import parse
from loadtest.verdict.threshold_terms import DISTRIBUTIONS, NUMBERS, MeasuredTerm, named


def test_every_promised_metric_has_a_name_here() -> None:
    """Thresholds use exactly the names of the result."""
    assert {"grab_latency_ms", "fanout_skew_ms", "start_skew_ms", "send_debt_ms"} <= DISTRIBUTIONS
    assert {"over_issued_fen", "under_issued_fen", "duplicate_claims", "lost_acks", "grabs_per_second"} <= NUMBERS


def test_a_name_with_selectors_is_quoted_where_it_must_be() -> None:
    assert named("grabs", ()) == "grabs"
    assert named("grabs", (("packet", "a, b"), ("room", "r1"))) == 'grabs{packet:"a, b", room:r1}'
    assert str(MeasuredTerm("grabs", "rate", (("room", "r1"),))) == "grabs{room:r1}.rate"


def test_all_that_is_measured_is_found_on_both_sides() -> None:
    read = parse("granted", "granted / (grabs + 1) >= 2 * fanout_skew_ms.max")
    assert [term.metric for term in read.measured] == ["granted", "grabs", "fanout_skew_ms"]
