"""The grammar: what k6's users type is read, and what is wrong is pointed at."""

import pytest

from loadtest.verdict.threshold_grammar import parse, parse_line
from loadtest.verdict.threshold_terms import BadThreshold, Calculated, Constant, MeasuredTerm


def refusal(metric: str, expression: str) -> str:
    with pytest.raises(BadThreshold) as refused:
        parse(metric, expression)
    return str(refused.value)


def under_caret(message: str) -> str:
    """Return what stands above the caret of a message and after it."""
    *_, text, caret = message.splitlines()
    return text[caret.index("^") :]


@pytest.mark.parametrize(
    ("expression", "aggregation", "operation", "limit"),
    [
        ("p(95)<200", "p(95)", "<", 200),
        (" p( 99.9 ) <= 80.5 ", "p(99.9)", "<=", 80.5),
        ("p(33.333)>1", "p(33.333)", ">", 1),
        ("avg<10ms", "avg", "<", 10),
        ("med < 1.5 s", "med", "<", 1_500),
        ("min>=.5", "min", ">=", 0.5),
        ("max!=7", "max", "!=", 7),
        ("count==12", "count", "==", 12),
        ("max > -3", "max", ">", -3),
        ("max > +3", "max", ">", 3),
    ],
)
def test_a_distribution_is_asked_as_in_k6(expression: str, aggregation: str, operation: str, limit: float) -> None:
    read = parse("grab_latency_ms", expression)
    assert (read.left, read.operation, read.right) == (
        MeasuredTerm("grab_latency_ms", aggregation),
        operation,
        Constant(limit),
    )
    assert read.expression == expression.strip()


@pytest.mark.parametrize("expression", ["value > 5", "count > 5 grabs", "rate>5", "grabs > 5", "grabs.count > 5"])
def test_a_tally_has_a_value_a_count_and_a_rate(expression: str) -> None:
    assert [term.metric for term in parse("grabs", expression).measured] == ["grabs"]


def test_products_come_before_sums_and_parentheses_before_both() -> None:
    read = parse("grab_latency_ms", "p(99) < 2 + 3 * p(50) - (1 + 1) / 2")
    median = MeasuredTerm("grab_latency_ms", "p(50)")
    sum_ = Calculated("+", Constant(2), Calculated("*", Constant(3), median))
    assert read.right == Calculated("-", sum_, Calculated("/", Calculated("+", Constant(1), Constant(1)), Constant(2)))
    minus = parse("granted", "-granted < 0")
    assert minus.left == Calculated("*", Constant(-1), MeasuredTerm("granted", "value"))


def test_other_metrics_have_their_own_aggregation_and_selectors() -> None:
    read = parse("granted{room: anna-live}", "value / grabs{room:ben-live} >= fanout_skew_ms.p(50)")
    assert read.metric == "granted{room:anna-live}"
    assert read.measured == [
        MeasuredTerm("granted", "value", (("room", "anna-live"),)),
        MeasuredTerm("grabs", "value", (("room", "ben-live"),)),
        MeasuredTerm("fanout_skew_ms", "p(50)"),
    ]
    assert read.timing
    assert not parse("granted", "granted / grabs >= 0.3").timing
    assert parse("granted", "rate >= 0.3").timing, "an unhealthy generator measures no rate"


@pytest.mark.parametrize(
    ("selectors", "selection"),
    [
        ("{packet:sells out}", (("packet", "sells out"),)),
        ('{packet:"a, b}"}', (("packet", "a, b}"),)),
        ("{phase:open, behaviour:eager}", (("behaviour", "eager"), ("phase", "open"))),
        ("{packet: 红包 ,room:r1}", (("packet", "红包"), ("room", "r1"))),
    ],
)
def test_selectors_are_joined_by_commas_in_any_order(selectors: str, selection: tuple[tuple[str, str], ...]) -> None:
    read = parse(f"grab_latency_ms{selectors}", "p(95) < 200")
    assert read.measured == [MeasuredTerm("grab_latency_ms", "p(95)", selection)]
    assert parse(read.metric, read.expression) == read, "its own words say the same"


@pytest.mark.parametrize(
    ("line", "metric", "expression"),
    [
        ("grab_latency_ms p(95)<200", "grab_latency_ms", "p(95)<200"),
        ("grab_latency_ms: p(95) < 200", "grab_latency_ms", "p(95) < 200"),
        ("  grab_latency_ms{room:r1}: avg < 2 s", "grab_latency_ms{room:r1}", "avg < 2 s"),
        ("over_issued_fen == 0", "over_issued_fen", "over_issued_fen == 0"),
        ("granted / grabs >= 0.3", "granted", "granted / grabs >= 0.3"),
        ("grab_latency_ms.p(99) < 50", "grab_latency_ms", "grab_latency_ms.p(99) < 50"),
    ],
)
def test_a_line_begins_with_its_metric(line: str, metric: str, expression: str) -> None:
    read = parse_line(line)
    assert (read.metric, read.expression) == (metric, expression)
    assert parse_line(str(read)) == read


@pytest.mark.parametrize(
    ("metric", "expression", "pointed_at", "said"),
    [
        ("grab_latency_ms", "p99 < 50", "p99 < 50", "did you mean p(99)?"),
        ("grab_latency_ms", "p(95) << 5", "< 5", "expected a number, a metric, or p(N), avg"),
        ("grab_latency_ms", "p(95) =< 5", "=< 5", "expected one of <= >= == != < >, but found '='"),
        ("grab_latency_ms", "p(95) < fast", "fast", "found 'fast'"),
        ("grab_latency_ms", "p(95) < 5 and max < 9", "and max < 9", "the unit of grab_latency_ms (ms or s)"),
        ("grab_latency_ms", "p(95) < 5 max", "max", "the unit of grab_latency_ms (ms or s)"),
        ("grab_latency_ms", "p(95) < 5 fen", "fen", "(ms or s)"),
        ("grab_latency_ms", "p(101) < 5", "101) < 5", "at most p(100)"),
        ("grab_latency_ms", "p 95 < 5", "95 < 5", "as in p(99)"),
        ("grab_latency_ms", "p(95 < 5", "< 5", "a closing parenthesis"),
        ("grab_latency_ms", "mean < 5", "mean < 5", "expected p(N), avg, med, min, max, count"),
        ("grab_latency_ms", "value < 50", "value < 50", "expected what grab_latency_ms has (p(N), avg, med, min"),
        ("grab_latency_ms", "p(99) < fanout_skew_ms", "", "a dot and an aggregation"),
        ("grab_latency_ms", "p(99) < 50 * fanout_skw_ms.p(50)", "fanout_skw_ms.p(50)", "did you mean fanout_skew_ms?"),
        ("grab_latency_ms", "", "", "but it ends"),
        ("grab_latency_ms", "p(95) <", "", "but it ends"),
        ("grab_latency_ms", "1 < 2", "1 < 2", "measures nothing"),
        ("over_issued_fen", "max == 0", "max == 0", "expected what over_issued_fen has (value)"),
        ("granted", "p(95) > 5", "p(95) > 5", "granted has (value, count, rate)"),
        ("packets", "value < 5", "packets", "no such metric: packets; it has no one value"),
        ("grab_latency", "p(99) < 50", "grab_latency", "did you mean grab_latency_ms? There are duplicate_claims,"),
        ("grab_latency_ms{rom:r1}", "max < 1", "rom:r1}", "expected a selector (room, packet, phase, behaviour)"),
        ("grab_latency_ms{phase:opn}", "max < 1", "opn}", "did you mean open? There are warm_up, open, first_second,"),
        ("grab_latency_ms{behaviour:eagre}", "max < 1", "eagre}", "did you mean eager? There are watcher"),
        ("grab_latency_ms{room}", "max < 1", "}", "a colon after room"),
        ("grab_latency_ms{room:}", "max < 1", "}", "the room to select"),
        ("grab_latency_ms{room:a", "max < 1", "", "a comma or }"),
        ("grab_latency_ms{room:a, room:b}", "max < 1", "room:b}", "room is selected twice"),
        ("grab_latency_ms room", "max < 1", "room", "an end of the metric"),
        ("lost_acks{room:r1,phase:open}", "value < 1", "phase:open}", "cannot be selected by phase; it can by room"),
        ("grab_latency_ms", "p(99) < 5 abort after soon", "soon", "a number of seconds"),
        ("grab_latency_ms", "p(99) < 5 abort after 1000000 s", "1000000 s", "at most 86,400 s"),
    ],
)
def test_what_cannot_be_read_is_pointed_at(metric: str, expression: str, pointed_at: str, said: str) -> None:
    message = refusal(metric, expression)
    assert said in message
    assert under_caret(message) == pointed_at


def test_the_caret_counts_wide_characters_twice() -> None:
    *_, text, caret = refusal("grab_latency_ms{packet:红包, rom:x}", "max < 1").splitlines()
    assert len(caret) - 1 == text.index("rom") + 2


@pytest.mark.parametrize(
    ("expression", "after_s"),
    [("p(99) < 50", None), ("p(99) < 50 abort", 0), ("p(99)<50ms abort after 5s", 5), ("max<9 abort after 2.5 s", 2.5)],
)
def test_a_threshold_may_end_the_run(expression: str, after_s: float | None) -> None:
    read = parse("grab_latency_ms", expression)
    assert read.abort_after_s == after_s
    assert "abort" not in read.expression


def test_only_what_is_known_during_the_run_may_end_it() -> None:
    assert parse("grab_latency_ms", "p(99) < 50", 5).abort_after_s == 5
    for metric, expression in (("start_skew_ms", "max < 9"), ("grabs{room:r1}", "value > 9"), ("grabs", "rate > 9")):
        with pytest.raises(BadThreshold, match=r"known only after the run.*: grabs, granted, grab_latency_ms, fanout"):
            parse(metric, expression, 0)
    with pytest.raises(BadThreshold, match="said twice"):
        parse("grab_latency_ms", "p(99) < 50 abort", 5)
